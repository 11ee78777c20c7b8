package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// extValue begins a header value that carries more than ASCII (RFC 8187).
const extValue = "UTF-8''"

// JustificationValue is a justification as a header carries it: as it stands
// where it is printable ASCII, else as an RFC 8187 value, UTF-8”%C3%A9….
func JustificationValue(text string) string {
	plain := !strings.HasPrefix(strings.ToUpper(text), extValue)
	for _, c := range []byte(text) {
		plain = plain && c >= ' ' && c <= '~'
	}
	if plain {
		return text
	}
	return extValue + strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
}

// JustificationText reads such a value. What is no RFC 8187 value is taken as
// it stands, as UTF-8.
func JustificationText(value string) string {
	if len(value) >= len(extValue) && strings.EqualFold(value[:len(extValue)], extValue) {
		if text, err := url.PathUnescape(value[len(extValue):]); err == nil {
			return text
		}
	}
	return value
}

// Consultation is one reading of sealed data: who, what, when and why.
type Consultation struct {
	ID            string   `json:"id"`
	Operator      string   `json:"operator" doc:"number of who read"`
	At            string   `json:"at"`
	What          string   `json:"what" doc:"item, items, items_in_full, holds, referral; of auditors also board, item_counts, people, consultations, sample, export"`
	Ref           string   `json:"ref,omitempty" doc:"of the one thing that was asked for"`
	Refs          []string `json:"refs,omitempty" doc:"of what was shown in full, or drawn"`
	Filter        string   `json:"filter,omitempty"`
	Count         int      `json:"count" doc:"rows shown; 0 where there was nothing"`
	Justification string   `json:"justification,omitempty" doc:"missing once its reader's key is erased"`
}

// Sample is a random draw of items, each as likely as any other.
type Sample struct {
	Items []string `json:"items" doc:"references, to be read one by one"`
}

// ConsultationQuery filters the list of consultations.
type ConsultationQuery struct {
	Operator string // number of a reader
	Ref      string // of an item or referral
	Cursor   string
	Limit    int // at most 500
}

// Consultations is one page of who read what and why, newest first (auditor).
func (c *Client) Consultations(ctx context.Context, q ConsultationQuery) (Page[Consultation], error) {
	v := url.Values{}
	for name, value := range map[string]string{"operator": q.Operator, "ref": q.Ref, "cursor": q.Cursor} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return get[Page[Consultation]](ctx, c, "/api/v1/consultations", v)
}

// Sample draws n items at random (auditor).
func (c *Client) Sample(ctx context.Context, n int) (Sample, error) {
	return get[Sample](ctx, c, "/api/v1/sample", url.Values{"n": {strconv.Itoa(n)}})
}

// Export writes the export bundle to w (auditor). A bundle that was cut off is
// an error; what was written of it verifies as cut off, too.
func (c *Client) Export(ctx context.Context, w io.Writer) error {
	const path = "/api/v1/export"
	req, err := c.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	res, err := c.http().Do(req)
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		data, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		if err != nil {
			return fmt.Errorf("GET %s: read answer: %w", path, err)
		}
		p, err := problemOf(res, data)
		if err != nil {
			return fmt.Errorf("GET %s: %w", path, err)
		}
		return p
	}
	if _, err := io.Copy(w, res.Body); err != nil {
		return fmt.Errorf("GET %s: the bundle was cut off: %w", path, err)
	}
	return nil
}
