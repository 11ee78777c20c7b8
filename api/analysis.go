package api

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// NewAnalysis asks to count what the access logs of an exhibit hold.
type NewAnalysis struct {
	Purpose string   `json:"purpose" maxLength:"2000" doc:"what for, in 10 to 500 characters; kept sealed with it"`
	Files   []string `json:"files,omitempty" maxItems:"500" doc:"paths of the manifest, from data/ on; left out: every file that begins as an access log"`
	Format  string   `json:"format,omitempty" maxLength:"8000" doc:"of the files that are named: a name or a pattern, as concert accesslog report -format takes it"`
}

// Analysis counts what the access logs of an exhibit hold. Its numbers stand in the
// files of its report.
type Analysis struct {
	N         int64          `json:"n"`
	Version   int64          `json:"version"`
	Exhibit   string         `json:"exhibit"`
	Case      string         `json:"case,omitempty"`
	Status    string         `json:"status" enum:"asked,running,done,failed,dropped"`
	Code      string         `json:"code,omitempty" doc:"why it failed"`
	Why       string         `json:"why,omitempty" doc:"the same in words, with the way out"`
	Purpose   string         `json:"purpose,omitempty"`
	Format    string         `json:"format,omitempty"`
	Files     []string       `json:"files,omitempty" doc:"that were named"`
	Read      int64          `json:"read,omitempty" doc:"bytes read so far; every log is read twice: compared with the manifest, then counted"`
	Total     int64          `json:"total,omitempty" doc:"bytes to read"`
	Report    string         `json:"report,omitempty" doc:"SHA-256 of report.json, as the log has it"`
	Work      bool           `json:"working_copy,omitempty" doc:"a working copy was read, not the evidentiary copy"`
	Counted   int            `json:"counted,omitempty" doc:"files"`
	Lines     *AnalysisLines `json:"lines,omitempty"`
	AskedAt   string         `json:"asked_at"`
	AskedBy   string         `json:"asked_by,omitempty" doc:"operator number"`
	EndedAt   string         `json:"ended_at,omitempty"`
	Erased    bool           `json:"erased,omitempty" doc:"its report is gone with its case"`
	Exercise  bool           `json:"exercise,omitempty"`
	Downloads []string       `json:"downloads,omitempty" doc:"names of the files of its report"`
}

// AnalysisLines are lines of logs: lines = parsed + rejected + blank.
type AnalysisLines struct {
	Lines    int64 `json:"lines"`
	Parsed   int64 `json:"parsed"`
	Rejected int64 `json:"rejected"`
	Blank    int64 `json:"blank"`
}

func analysisPath(exhibit string, n int64) string {
	return "/api/v1/exhibits/" + url.PathEscape(exhibit) + "/analyses/" + strconv.FormatInt(n, 10)
}

// AskAnalysis asks to count what the access logs of an exhibit hold.
func (c *Client) AskAnalysis(ctx context.Context, call Call, exhibit string, in NewAnalysis) (Analysis, error) {
	return post[Analysis](ctx, c, "/api/v1/exhibits/"+url.PathEscape(exhibit)+"/analyses", call, in)
}

// Analysis is one analysis of an exhibit's logs, by its number.
func (c *Client) Analysis(ctx context.Context, exhibit string, n int64) (Analysis, error) {
	return get[Analysis](ctx, c, analysisPath(exhibit, n), nil)
}

// DropAnalysis ends an analysis that has not ended.
func (c *Client) DropAnalysis(ctx context.Context, call Call, exhibit string, n int64) (Analysis, error) {
	return post[Analysis](ctx, c, analysisPath(exhibit, n)+"/drop", call, struct{}{})
}

// AnalysisFile writes a file of an analysis's report to w: report.json as it is kept,
// released.json, released.csv or released.pdf for a reader outside the case.
func (c *Client) AnalysisFile(ctx context.Context, exhibit string, n int64, file string, w io.Writer) error {
	req, err := c.request(ctx, http.MethodGet, analysisPath(exhibit, n)+"/files/"+url.PathEscape(file), nil)
	if err != nil {
		return err
	}
	return c.sendOnce(req, func(r io.Reader) error {
		_, err := io.Copy(w, r)
		return err
	})
}
