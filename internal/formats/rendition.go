package formats

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/image/draw"
	"golang.org/x/net/html"

	// The picture formats that captures come in.
	_ "image/gif"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// Bounds of a rendition.
const (
	PixelsMost  = 40_000_000 // of a picture that is opened at all
	sideMost    = 30_000
	pictureSide = 1280 // of the preview, the longer side
	smallSide   = 160
	textMost    = 20_000 // characters
	titleMost   = 300
	recordsMost = 200
)

// Rendition is what may be shown of captured bytes: a picture drawn anew, plain
// text, or a list of what an archive holds. Nothing of the bytes themselves is
// in it.
type Rendition struct {
	Media   string       `json:"media"`
	Width   int          `json:"width,omitempty"` // of the picture as captured
	Height  int          `json:"height,omitempty"`
	Picture []byte       `json:"picture,omitempty"` // JPEG
	Small   []byte       `json:"small,omitempty"`   // PNG
	Title   string       `json:"title,omitempty"`
	Text    string       `json:"text,omitempty"`
	Records []WARCRecord `json:"records,omitempty"`
	More    bool         `json:"more,omitempty"` // there is more than is shown
	Note    string       `json:"note,omitempty"` // what went wrong on the way
}

// Render makes a rendition of bytes of the media type, which was found in them.
// It reads hostile input: only ever in a child (package sandbox).
func Render(media string, in []byte) (Rendition, error) {
	r := Rendition{Media: media}
	switch {
	case strings.HasPrefix(media, "image/"):
		return r, r.picture(in)
	case media == "text/html":
		r.html(bytes.NewReader(in))
		return r, nil
	case media == "multipart/related":
		return r, r.savedPage(in)
	case media == "text/plain":
		r.Text, r.More = PlainText(in)
		return r, nil
	case media == "application/warc", media == "application/gzip":
		var err error
		if r.Records, r.More, err = ReadWARC(bytes.NewReader(in), recordsMost); err != nil {
			if len(r.Records) == 0 {
				return r, err
			}
			r.Note = err.Error()
		}
		return r, nil
	}
	return r, fmt.Errorf("there is no preview of %s", media)
}

// PlainText are the words of bytes that are plain text, without what a reader's
// terminal or page would take for an order; more says that they go on. It reads
// hostile bytes without a decoder, so that no child is needed.
func PlainText(in []byte) (text string, more bool) {
	return harmless(string(in[:min(len(in), 8*textMost)]), textMost)
}

// RenderTask is Render for a child: the media type, a line feed and the bytes
// in, a Rendition as JSON out.
func RenderTask(in []byte) ([]byte, error) {
	media, rest, ok := bytes.Cut(in, []byte("\n"))
	if !ok {
		return nil, errors.New("the task names no media type")
	}
	r, err := Render(string(media), rest)
	if err != nil {
		return nil, err
	}
	return json.Marshal(r)
}

// ReadRendition takes what a child said. A child that its input took over may
// say anything, so that pictures must at least begin as pictures do; what else
// they are is told to no browser.
func ReadRendition(text []byte) (Rendition, error) {
	var r Rendition
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("rendition: %w", err)
	}
	if len(r.Picture) > 0 && !bytes.HasPrefix(r.Picture, []byte("\xff\xd8\xff")) || len(r.Small) > 0 && !bytes.HasPrefix(r.Small, []byte("\x89PNG\r\n\x1a\n")) {
		return Rendition{}, errors.New("rendition: what it calls a picture is none")
	}
	r.Text, _ = harmless(r.Text, textMost)
	r.Title, _ = harmless(r.Title, titleMost)
	return r, nil
}

func (r *Rendition) picture(in []byte) error {
	c, _, err := image.DecodeConfig(bytes.NewReader(in))
	if err != nil {
		return fmt.Errorf("the picture cannot be read: %w", err)
	}
	r.Width, r.Height = c.Width, c.Height
	if c.Width < 1 || c.Height < 1 || c.Width > sideMost || c.Height > sideMost || c.Width*c.Height > PixelsMost {
		return fmt.Errorf("the picture has %d by %d points, too many to be opened here", c.Width, c.Height)
	}
	src, _, err := image.Decode(bytes.NewReader(in))
	if err != nil {
		return fmt.Errorf("the picture cannot be read: %w", err)
	}
	var large, small bytes.Buffer
	if err := jpeg.Encode(&large, scaled(src, pictureSide), &jpeg.Options{Quality: 82}); err != nil {
		return fmt.Errorf("draw the preview: %w", err)
	}
	if err := png.Encode(&small, scaled(src, smallSide)); err != nil {
		return fmt.Errorf("draw the preview: %w", err)
	}
	r.Picture, r.Small = large.Bytes(), small.Bytes()
	return nil
}

// scaled draws the picture anew on white, its longer side at most so many points.
func scaled(src image.Image, side int) image.Image {
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	if long := max(w, h); long > side {
		w, h = max(1, w*side/long), max(1, h*side/long)
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(dst, dst.Bounds(), image.White, image.Point{}, draw.Src)
	draw.ApproxBiLinear.Scale(dst, dst.Bounds(), src, b, draw.Over, nil)
	return dst
}

// unread are elements whose text nobody sees, blocks those that begin a line.
var (
	unread = map[string]bool{"script": true, "style": true, "noscript": true, "template": true, "svg": true, "math": true, "iframe": true, "object": true}
	blocks = map[string]bool{"p": true, "br": true, "div": true, "li": true, "tr": true, "h1": true, "h2": true, "h3": true, "h4": true, "h5": true, "h6": true, "section": true, "article": true, "header": true, "footer": true, "blockquote": true, "pre": true, "table": true, "ul": true, "ol": true}
)

// html takes title and text out of a page. It is never shown as a page.
func (r *Rendition) html(in io.Reader) {
	z := html.NewTokenizer(in)
	z.SetMaxBuf(1 << 20)
	var text, title strings.Builder
	inTitle, hidden := false, ""
	for text.Len() < 8*textMost {
		switch z.Next() {
		case html.ErrorToken:
			r.Title, _ = harmless(strings.Join(strings.Fields(title.String()), " "), titleMost)
			r.Text, r.More = harmless(tidy(text.String()), textMost)
			return
		case html.StartTagToken:
			name, _ := z.TagName()
			switch tag := string(name); {
			case hidden != "":
			case unread[tag]:
				hidden = tag
			case tag == "title":
				inTitle = true
			case blocks[tag]:
				text.WriteByte('\n')
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			switch tag := string(name); {
			case tag == hidden:
				hidden = ""
			case tag == "title":
				inTitle = false
			case blocks[tag] && hidden == "":
				text.WriteByte('\n')
			}
		case html.SelfClosingTagToken:
			if name, _ := z.TagName(); blocks[string(name)] {
				text.WriteByte('\n')
			}
		case html.TextToken:
			switch {
			case hidden != "":
			case inTitle && title.Len() < 8*titleMost:
				title.Write(z.Text())
			case !inTitle:
				text.Write(z.Text())
			}
		}
	}
	r.Title, _ = harmless(strings.Join(strings.Fields(title.String()), " "), titleMost)
	r.Text, _ = harmless(tidy(text.String()), textMost)
	r.More = true
}

// tidy drops empty lines and runs of spaces.
func tidy(s string) string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// harmless is text without what steers a terminal or turns its direction unseen,
// cut after so many characters.
func harmless(s string, most int) (string, bool) {
	s = strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t':
			return c
		case unicode.IsControl(c), c >= 0x202a && c <= 0x202e, c >= 0x2066 && c <= 0x2069:
			return -1
		}
		return c
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if utf8.RuneCountInString(s) <= most {
		return s, false
	}
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i], true
		}
	}
	return s, false
}

// savedPage takes the page out of a file that a browser saved with all its parts
// (RFC 2557).
func (r *Rendition) savedPage(in []byte) error {
	br := bufio.NewReader(bytes.NewReader(in))
	h, err := textproto.NewReader(br).ReadMIMEHeader()
	if err != nil {
		return fmt.Errorf("the saved page cannot be read: %w", err)
	}
	_, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		return fmt.Errorf("the saved page cannot be read: %w", err)
	}
	parts := multipart.NewReader(br, params["boundary"])
	for range recordsMost {
		p, err := parts.NextRawPart()
		if err != nil {
			break
		}
		if media, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type")); media != "text/html" {
			continue
		}
		var body io.Reader = p
		switch strings.ToLower(p.Header.Get("Content-Transfer-Encoding")) {
		case "quoted-printable":
			body = quotedprintable.NewReader(p)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, p)
		}
		r.html(body)
		return nil
	}
	return errors.New("the saved page holds no page")
}
