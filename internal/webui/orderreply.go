package webui

import "concert"

// mailedStates are what became of a reply by mail to an order.
var mailedStates = map[concert.ReplyOutcome]state{
	concert.ReplyAnswered: {Mark: "✓", Label: "taken as the addressee’s answer", Tone: "good"},
	concert.ReplyRefused:  {Mark: "✕", Label: "not taken: the sender was told which field is wrong", Tone: "bad"},
	concert.ReplyPerson:   {Mark: "▲", Label: "answers nothing: read it", Tone: "bad"},
}

// senderStates say how sure it is who wrote.
var senderStates = map[concert.Sender]state{
	concert.SenderDKIM:       {Mark: "✓", Label: "signed by the contact point's domain", Tone: "good"},
	concert.SenderUnverified: {Mark: "?", Label: "sender not verified", Tone: "wait"},
}
