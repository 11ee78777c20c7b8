package casework

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"concert"
	"concert/internal/dispatch"
	"concert/internal/formats"
	"concert/internal/store"
)

// mailNotices are what the mails say.
func (s *Service) mailNotices(ctx context.Context, tx *store.Tx, c concert.ContactPoint, mails []concert.Mail) ([]mailing, error) {
	ids := make([]concert.MailID, len(mails))
	for i, m := range mails {
		ids[i] = m.ID
	}
	parts, err := tx.PostingsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	p, err := tx.Provider(ctx, string(c.Provider))
	if err != nil {
		return nil, err
	}
	out := make([]mailing, len(mails))
	for i, m := range mails {
		if ds := parts[m.ID]; len(ds) == 1 && ds[0].Kind.OfOrder() {
			out[i].order, err = s.orderMailing(ctx, tx, p, c, m, ds[0].Outgoing)
		} else {
			out[i].notice, err = s.mailNotice(ctx, tx, p, c, m, ds)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// letters are the mails as they are sent, drawn and written on every processor
// and outside any transaction; one whose notices have nothing left to say has no
// recipient.
func (s *Service) letters(c concert.ContactPoint, mails []concert.Mail, notices []mailing) ([]dispatch.Letter, error) {
	out := make([]dispatch.Letter, len(mails))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, n := range notices {
		if n.empty() {
			continue
		}
		g.Go(func() (err error) {
			if n.order != nil {
				out[i], err = s.orderLetter(c, mails[i], n.order)
			} else {
				out[i], err = s.letter(c, mails[i], n.notice)
			}
			return err
		})
	}
	return out, g.Wait()
}

// mailNotice gathers what the mail says, as it stands now: an item that was
// withdrawn or erased while its notice waited is not in it.
func (s *Service) mailNotice(ctx context.Context, tx *store.Tx, p concert.Provider, c concert.ContactPoint, m concert.Mail, ds []store.Waiting) (*formats.Notice, error) {
	n := &formats.Notice{Lang: formats.NoticeLanguage(c.Languages), Digest: m.Form == concert.MailDigest, Exercise: s.Exercise, Provider: p.Name, Sender: s.Origin, Base: s.BaseURL, Keys: s.BaseURL + "/api/v1/keys",
		Reply: s.Mailer.Reply(m.Tag), SentAt: m.CreatedAt}
	for _, d := range ds {
		part, err := s.noticePart(ctx, tx, c, d.Outgoing)
		if err != nil {
			return nil, err
		}
		if len(part.Payload.Items) > 0 || part.Patterns != nil {
			n.Parts = append(n.Parts, part)
			n.Token = d.RefRef
		}
	}
	if n.Digest {
		n.Token = "MD-" + m.Tag
	}
	return n, nil
}

func (s *Service) noticePart(ctx context.Context, tx *store.Tx, c concert.ContactPoint, d store.Outgoing) (formats.NoticePart, error) {
	part := formats.NoticePart{Kind: d.Kind, Remedy: d.Remedy, Urgent: d.Urgent}
	if isSandbox(d.RefRef) {
		v, err := s.sandboxView(ctx, tx, d.Provider, d.RefRef)
		if err != nil {
			return part, err
		}
		part.Payload = v.Payload
		part.Signed, err = json.Marshal(v.Signed)
		return part, err
	}
	if d.Kind == concert.NoticePatterns {
		return patternsPart(ctx, tx, part, d)
	}
	o, err := tx.Original(ctx, d.Referral)
	if err != nil || len(o.Payload) == 0 {
		return part, err
	}
	if err := json.Unmarshal(o.Payload, &part.Payload); err != nil {
		return part, fmt.Errorf("payload of %s: %w", d.RefRef, err)
	}
	if o.Erased == 0 {
		if part.Signed, err = json.Marshal(o.Signed); err != nil {
			return part, fmt.Errorf("original of %s: %w", d.RefRef, err)
		}
	}
	items, err := tx.ReferralItems(ctx, d.Referral)
	if err != nil {
		return part, err
	}
	about, reason, err := noticeAbout(ctx, tx, d, items)
	if err != nil {
		return part, err
	}
	part.Reason = reason
	kept := part.Payload.Items[:0:0]
	for _, it := range part.Payload.Items {
		if about[it.Ref] {
			kept = append(kept, it)
		}
	}
	part.Payload.Items = kept
	if asked(d) && len(kept) > 0 {
		part.Link, part.Expires, err = s.linkFor(ctx, tx, d.Referral, c.ID)
	}
	return part, err
}

// patternsPart is a note on patterns of abuse as the lead of its action sends it.
func patternsPart(ctx context.Context, tx *store.Tx, part formats.NoticePart, d store.Outgoing) (formats.NoticePart, error) {
	n, err := tx.PatternNote(ctx, d.RefRef)
	if err != nil {
		return part, err
	}
	a, err := tx.Action(ctx, string(n.Action))
	if err != nil {
		return part, err
	}
	lead, err := tx.Authority(ctx, string(a.Lead))
	part.Patterns, part.Action = &n.Patterns, a.Name
	part.Payload = concert.ReferralPayload{Ref: n.Ref, Author: concert.PayloadParty{Name: lead.Name, Country: lead.Country, Unit: lead.Unit}, SentAt: n.ReleasedAt.UTC().Format(time.RFC3339)}
	return part, err
}

// noticeAbout are the items, by reference, that a notice is about now, and the
// reason of a remedy.
func noticeAbout(ctx context.Context, tx *store.Tx, d store.Outgoing, items []concert.Item) (map[string]bool, string, error) {
	about := map[string]bool{}
	ids := make([]concert.ItemID, 0, len(items))
	for _, it := range items {
		ids = append(ids, it.ID)
		waits := it.ErasedAt.IsZero() && it.Status != concert.ItemWithdrawn
		if d.Kind == concert.NoticeReminder {
			waits = waits && it.Silent() && it.Status != concert.ItemRefused && it.Status != concert.ItemClosed
		}
		about[it.Ref] = waits
	}
	if asked(d) {
		return about, "", nil
	}
	if d.Kind == concert.NoticeQuestion {
		return questionAbout(ctx, tx, d, items, about)
	}
	clear(about)
	remedies, err := tx.Remedies(ctx, ids)
	if err != nil {
		return nil, "", err
	}
	for _, it := range items {
		for _, m := range remedies[it.ID] {
			if m.Ref == d.Remedy && it.ErasedAt.IsZero() {
				return map[string]bool{it.Ref: true}, m.Reason, nil
			}
		}
	}
	return about, "", nil
}

// questionAbout is what an authority wrote in the referral's thread, and the items
// that it is about: all that stand where it names none.
func questionAbout(ctx context.Context, tx *store.Tx, d store.Outgoing, items []concert.Item, standing map[string]bool) (map[string]bool, string, error) {
	qs, err := tx.Questions(ctx, d.Referral)
	if err != nil {
		return nil, "", err
	}
	i := slices.IndexFunc(qs, func(q concert.Question) bool { return q.Ref == d.Remedy })
	if i < 0 || qs[i].Erased {
		return nil, "", nil
	}
	if qs[i].Item == "" {
		return standing, qs[i].Text, nil
	}
	for _, it := range items {
		if it.ID == qs[i].Item {
			return map[string]bool{it.Ref: standing[it.Ref]}, qs[i].Text, nil
		}
	}
	return nil, "", nil
}

// letter puts the notice into its text and its attachments.
func (s *Service) letter(c concert.ContactPoint, m concert.Mail, n *formats.Notice) (dispatch.Letter, error) {
	l := dispatch.Letter{Tag: m.Tag, Reference: n.Token, To: c.Address, Lang: n.Lang, Date: time.Now(), Urgent: m.Urgent}
	if n.Digest {
		l.Reference = "digest"
	}
	var err error
	if l.Subject, err = n.Subject(); err != nil {
		return l, err
	}
	if l.Text, err = n.Text(); err != nil {
		return l, err
	}
	pdf, err := formats.WritePDF(n)
	if err != nil {
		return l, err
	}
	xarf, err := formats.WriteXARF(n)
	if err != nil {
		return l, err
	}
	report := dispatch.LetterFile{Name: "xarf.json", Type: "application/json", Data: xarf}
	if n.Items() > 1 {
		report.Name, report.Type = "xarf.ndjson", "application/x-ndjson"
	}
	l.Files = append(l.Files, dispatch.LetterFile{Name: n.Token + ".pdf", Type: "application/pdf", Data: pdf})
	if len(xarf) > 0 {
		l.Files = append(l.Files, report)
	}
	if n.Digest {
		csv, err := formats.WriteDigestCSV(n)
		if err != nil {
			return l, err
		}
		l.Files = append(l.Files, dispatch.LetterFile{Name: "digest.csv", Type: "text/csv; charset=utf-8", Data: csv},
			dispatch.LetterFile{Name: "digest.csv.sig", Type: "text/plain; charset=us-ascii", Data: s.detached(csv)})
	}
	if signed := originals(n); len(signed) > 0 {
		f := dispatch.LetterFile{Name: n.Token + ".signed.json", Type: "application/json", Data: signed}
		if len(n.Parts) > 1 {
			f.Name, f.Type = "signed.ndjson", "application/x-ndjson"
		}
		l.Files = append(l.Files, f)
	}
	return l, nil
}

// originals are the signed originals, one a line, each referral once.
func originals(n *formats.Notice) []byte {
	var out []byte
	seen := map[string]bool{}
	for _, p := range n.Parts {
		if p.Kind != concert.NoticeQuestion && p.Signed != nil && !seen[p.Payload.Ref] {
			seen[p.Payload.Ref] = true
			out = append(append(out, p.Signed...), '\n')
		}
	}
	return out
}

// detached is a signature file over the bytes: the transport's key, since the
// digest as a whole is nobody's judgement (docs/mail.md says how to verify it).
func (s *Service) detached(data []byte) []byte {
	sum := sha256.Sum256(data)
	return fmt.Appendf(nil, "keyid: %s\nsha256: %s\ned25519: %s\n", concert.KeyID(s.TransportKey()), hex.EncodeToString(sum[:]), base64.StdEncoding.EncodeToString(ed25519.Sign(s.Transport, data)))
}
