package api

// BatchLine is one item of a batch, with the version that its author saw.
type BatchLine struct {
	Item    string `json:"item" maxLength:"40"`
	Version int64  `json:"version" minimum:"1"`
	Outcome string `json:"outcome,omitempty" doc:"in answers: what it became"`
	Code    string `json:"code,omitempty" doc:"in answers: why it was refused"`
}

// NewBatch is one act on many items. With preview it is done to none: the answer
// says what would become of each.
type NewBatch struct {
	Act      string      `json:"act" enum:"withdraw,correct,handling"`
	Reason   string      `json:"reason" maxLength:"4000" doc:"the same for each; a place in braces that is still open is refused"`
	Category string      `json:"category,omitempty" maxLength:"40" doc:"of a withdrawal or a correction"`
	Handling string      `json:"handling,omitempty" maxLength:"2" doc:"the new code, H0 to H3"`
	Items    []BatchLine `json:"items" minItems:"1" maxItems:"500"`
	Preview  bool        `json:"preview,omitempty"`
}

// Batch is a batch as it stands.
type Batch struct {
	ID      string      `json:"id,omitempty" doc:"missing in a preview"`
	Act     string      `json:"act"`
	Status  string      `json:"status" enum:"preview,waiting,recalled,running,done"`
	Items   int         `json:"items"`
	Done    int         `json:"done"`
	Refused int         `json:"refused"`
	At      string      `json:"at,omitempty"`
	DueAt   string      `json:"due_at,omitempty" doc:"nothing is done before; until then it can be recalled"`
	Lines   []BatchLine `json:"lines"`
}

// NewNote is an internal note: its writer's authority alone reads it.
type NewNote struct {
	Text string `json:"text" maxLength:"4000"`
}

// NewTemplate is a text with places to be filled, like {item}.
type NewTemplate struct {
	Purpose  string `json:"purpose" enum:"question,remedy,note"`
	Language string `json:"language" maxLength:"35"`
	Name     string `json:"name" maxLength:"80"`
	Text     string `json:"text" maxLength:"4000"`
}

// Template is one of the caller's authority's.
type Template struct {
	NewTemplate
	ID     string   `json:"id"`
	Places []string `json:"places" doc:"what is to be filled"`
}

// Templates are those that are offered.
type Templates struct {
	Templates []Template `json:"templates"`
}
