package webui

import (
	"io"
	"net/http"

	"concert"
	"concert/internal/casework"
	"concert/internal/design"
	"concert/internal/httpkit"
	"concert/order"
)

// verifyPage is the public check of an order.
type verifyPage struct {
	Ref, Code string
	Check     *casework.OrderCheck
	Errors    formErrors
}

// State is the verdict as shape and words.
func (p verifyPage) State() state {
	switch p.Check.Outcome {
	case order.Valid:
		return state{Mark: "✓", Label: "valid", Tone: "good"}
	case order.AuthorityUnknown:
		return state{Mark: "?", Label: "authority unknown", Tone: "wait"}
	}
	return state{Mark: "✕", Label: "invalid", Tone: "bad"}
}

var checkedStates = map[concert.OrderStatus]design.Text{
	concert.OrderIssued: "issued, and not ended", concert.OrderWithdrawn: "withdrawn: it binds no more", concert.OrderVoid: "void: it binds no more",
}

// verifyOrder checks by reference and code, which the QR code of an order carries.
func (u *UI) verifyOrder(w http.ResponseWriter, r *http.Request, v *visit) error {
	q := r.URL.Query()
	p := verifyPage{Ref: clean(q.Get("ref")), Code: clean(q.Get("digest"))}
	if p.Ref != "" || p.Code != "" {
		c, err := u.svc.CheckOrderCode(r.Context(), p.Ref, p.Code)
		if p.Errors, err = formErrorsOf(err); err != nil {
			return err
		}
		if len(p.Errors) == 0 {
			p.Check = &c
		}
	}
	return u.showVerify(w, r, v, p)
}

// verifyOrderFile checks a file, or a PDF that carries one.
func (u *UI) verifyOrderFile(w http.ResponseWriter, r *http.Request, v *visit) error {
	var p verifyPage
	var err error = concert.Refuse(concert.Invalid, "order.check_file", "file", "choose the order's file, or the PDF that carries it, of at most %d MB", orderFileMost>>20)
	if v.file != nil {
		raw, failed := io.ReadAll(io.LimitReader(v.file, orderFileMost+1))
		if failed == nil && len(raw) > 0 && len(raw) <= orderFileMost {
			var c casework.OrderCheck
			if c, err = u.svc.CheckOrderFile(r.Context(), raw); err == nil {
				p.Check = &c
			}
		}
	}
	if p.Errors, err = formErrorsOf(err); err != nil {
		return err
	}
	return u.showVerify(w, r, v, p)
}

// orderFileMost bounds a file that anybody may send in to be checked, in bytes.
const orderFileMost = 8 << 20

// isOrderFile reports whether a form carries an order to be checked.
func isOrderFile(r *http.Request) bool {
	return r.Method == http.MethodPost && r.URL.Path == "/verify/order"
}

func (u *UI) showVerify(w http.ResponseWriter, r *http.Request, v *visit, p verifyPage) error {
	return u.show(w, r, v, view{status: p.Errors.status(httpkit.StatusOf), title: say(r.Context(), "Check a removal order"), body: verifyView(p)})
}
