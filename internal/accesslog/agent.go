package accesslog

import (
	"bytes"
	_ "embed"
	"strings"
)

//go:embed bots.txt
var botList string

// bots is the stated rule by which automatic clients are told apart.
type bots struct {
	version string
	tokens  [][]byte // in lower case
}

// newBots reads the embedded list.
func newBots() bots {
	var b bots
	for line := range strings.Lines(botList) {
		line = strings.TrimSpace(line)
		if v, ok := strings.CutPrefix(line, "# version "); ok {
			b.version = v
		}
		if line != "" && line[0] != '#' {
			b.tokens = append(b.tokens, []byte(strings.ToLower(line)))
		}
	}
	return b
}

// is reports whether the agent is a bot's: it holds one of the tokens in any
// case, or says nothing.
func (b bots) is(agent []byte) bool {
	agent = bytes.TrimSpace(agent)
	if len(agent) == 0 || len(agent) == 1 && agent[0] == '-' {
		return true
	}
	low := bytes.ToLower(agent)
	for _, t := range b.tokens {
		if bytes.Contains(low, t) {
			return true
		}
	}
	return false
}

// families are asked in this order; the first whose token stands in an agent is
// its family, since most agents name several browsers and mean the last.
// Tokens are in lower case.
var families = [][2]string{
	{"googlebot", "Googlebot"}, {"bingbot", "Bingbot"}, {"yandexbot", "YandexBot"}, {"baiduspider", "Baiduspider"},
	{"duckduckbot", "DuckDuckBot"}, {"slurp", "Yahoo Slurp"}, {"applebot", "Applebot"}, {"facebookexternalhit", "Facebook preview"},
	{"twitterbot", "Twitterbot"}, {"telegrambot", "TelegramBot"}, {"whatsapp", "WhatsApp"}, {"discordbot", "Discordbot"},
	{"gptbot", "GPTBot"}, {"claudebot", "ClaudeBot"}, {"ccbot", "CCBot"}, {"bytespider", "Bytespider"}, {"ahrefsbot", "AhrefsBot"},
	{"semrushbot", "SemrushBot"}, {"mj12bot", "MJ12bot"}, {"dotbot", "DotBot"}, {"petalbot", "PetalBot"}, {"archive.org_bot", "Internet Archive"},
	{"curl/", "curl"}, {"wget", "Wget"}, {"python", "Python"}, {"go-http-client", "Go"}, {"okhttp", "OkHttp"}, {"java/", "Java"},
	{"libwww-perl", "libwww-perl"}, {"headlesschrome", "Chrome (headless)"}, {"feedfetcher", "Feedfetcher"}, {"telegram", "Telegram"},
	{"edg/", "Edge"}, {"edga/", "Edge"}, {"edgios/", "Edge"}, {"edge/", "Edge (before 79)"}, {"opr/", "Opera"}, {"opera", "Opera"}, {"opios/", "Opera"},
	{"samsungbrowser", "Samsung Internet"}, {"yabrowser", "Yandex Browser"}, {"ucbrowser", "UC Browser"}, {"vivaldi", "Vivaldi"},
	{"miuibrowser", "MIUI Browser"}, {"huaweibrowser", "Huawei Browser"}, {"seamonkey", "SeaMonkey"}, {"fxios", "Firefox"}, {"firefox", "Firefox"}, {"crios", "Chrome"},
	{"chromium", "Chromium"}, {"chrome", "Chrome"}, {"android", "Android WebView"}, {"trident", "Internet Explorer"}, {"msie", "Internet Explorer"},
	{"konqueror", "Konqueror"}, {"iphone", "Safari"}, {"ipad", "Safari"}, {"safari", "Safari"}, {"applewebkit", "WebKit"}, {"gecko/", "Gecko"},
	{"lynx", "Lynx"}, {"dalvik", "Android app"}, {"cfnetwork", "Apple app"}, {"vlc", "VLC"}, {"mozilla/", "Mozilla (other)"},
}

// automatic is how many of families are automatic clients; browsers follow.
const automatic = 32

// noAgent and otherAgent are families of what names none.
const (
	noAgent    = "(none)"
	otherAgent = "(other)"
	otherBot   = "(other bot)"
)

// family is the agent's family; the agent's own text is never shown.
func family(agent []byte, bot bool) string {
	agent = bytes.TrimSpace(agent)
	if len(agent) == 0 || len(agent) == 1 && agent[0] == '-' {
		return noAgent
	}
	low := string(bytes.ToLower(agent))
	for i, f := range families {
		// Past the automatic clients stand browsers, which bots only pretend to be.
		if bot && i >= automatic {
			break
		}
		if strings.Contains(low, f[0]) {
			return f[1]
		}
	}
	if bot {
		return otherBot
	}
	return otherAgent
}
