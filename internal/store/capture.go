package store

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"concert"
	"concert/internal/identity"
	"concert/internal/vault"
)

// Bytes are captured bytes on their way in: plain where they are small enough
// for a row, else sealed already in a file of the vault.
type Bytes struct {
	Sum   [sha256.Size]byte // SHA-256 of the plain bytes
	Size  int64
	Small []byte
	File  SealedFile // of which there is none where Small holds them
}

// SealedFile is a file of the vault with the key that its bytes are under.
type SealedFile struct {
	Name string
	Key  identity.Key
	Sum  [sha256.Size]byte // of the file as it lies there
}

// SealedBytes are captured bytes as they lie in the store, with what opens them.
type SealedBytes struct {
	Row  []byte // the whole stream, where it lies in the row
	File string // the file's name, else
	Key  [vault.KeySize]byte
	ID   string // the stream's purpose
}

// Purpose binds the stream to its row.
func (b SealedBytes) Purpose() []byte { return bytesPurpose(b.ID) }

func bytesPurpose(id string) []byte { return []byte("capture " + id) }

// BytesKey is what a capture's bytes are sealed with: it takes the authority's
// own key and the bytes' own, which is destroyed to erase them.
func (db *DB) BytesKey(a concert.AuthorityID, own identity.Key) [vault.KeySize]byte {
	of := db.Keys.Derive("captures of " + string(a))
	return keyed(of, own[:])
}

// NewFile is a file of the vault that is yet to be written, with the key and the
// purpose to seal it with.
func (db *DB) NewFile(a concert.AuthorityID) (f SealedFile, key [vault.KeySize]byte, purpose []byte) {
	f = SealedFile{Name: identity.NewID(), Key: identity.NewItemKey()}
	return f, db.BytesKey(a, f.Key), bytesPurpose(f.Name)
}

// address is where an authority's bytes are found again: a keyed digest, so that
// no list of hashes can be compared with the table.
func (db *DB) address(a concert.AuthorityID, sum [sha256.Size]byte) [sha256.Size]byte {
	return keyed(db.Keys.Derive("addresses of captures"), append([]byte(string(a)+"\x00"), sum[:]...))
}

func keyed(key identity.Key, text []byte) (out [sha256.Size]byte) {
	mac := hmac.New(sha256.New, key[:])
	mac.Write(text)
	mac.Sum(out[:0])
	return out
}

const captureCols = "c.id, c.ref, c.item, c.authority, c.person, c.kind, c.media, c.size, c.seen_at, c.added_at, c.erased_at"

func scanCapture(r rowScanner, more ...any) (concert.Capture, error) {
	var c concert.Capture
	var seen, added, erased int64
	err := r.Scan(append([]any{&c.ID, &c.Ref, &c.Item, &c.Authority, &c.Person, &c.Kind, &c.MediaType, &c.Size, &seen, &added, &erased}, more...)...)
	c.SeenAt, c.AddedAt, c.ErasedAt = concert.FromMicros(seen), concert.FromMicros(added), concert.FromMicros(erased)
	return c, err
}

// AddCaptures writes captures of one authority with their bytes, those that it
// holds already once only. It returns the files that were not needed.
func (tx *Tx) AddCaptures(ctx context.Context, cs []concert.Capture, in []Bytes) (spare []string, err error) {
	if len(cs) == 0 {
		return nil, nil
	}
	tx.touch("capture")
	ids, spare, err := tx.placeBytes(ctx, cs[0].Authority, cs[0].AddedAt, in)
	if err != nil {
		return nil, err
	}
	rows := make([][]any, len(cs))
	for i, c := range cs {
		sealed, err := tx.seal(ctx, string(c.Item), "capture", concert.CaptureText{SHA256: c.SHA256, Vantage: c.Vantage})
		if err != nil {
			return nil, err
		}
		rows[i] = []any{string(c.ID), c.Ref, string(c.Item), string(c.Authority), string(c.Person), string(c.Kind), c.MediaType, c.Size, concert.Micros(c.SeenAt), concert.Micros(c.AddedAt), ids[in[i].Sum], sealed, 0}
	}
	_, err = tx.insert(ctx, "capture", "id, ref, item, authority, person, kind, media, size, seen_at, added_at, bytes, sealed, erased_at", rows, "")
	return spare, err
}

// placeBytes makes sure that the authority holds the bytes, and says where.
func (tx *Tx) placeBytes(ctx context.Context, a concert.AuthorityID, at time.Time, in []Bytes) (ids map[[sha256.Size]byte]string, spare []string, err error) {
	fresh := map[[sha256.Size]byte]Bytes{} // by address
	for _, b := range in {
		address := tx.db.address(a, b.Sum)
		if have, ok := fresh[address]; ok && b.File.Name != "" {
			spare = append(spare, have.File.Name)
		}
		fresh[address] = b
	}
	addresses := make([]any, 0, len(fresh))
	for address := range fresh {
		addresses = append(addresses, address[:])
	}
	// One order for all, so that no two acts wait for each other in a ring.
	slices.SortFunc(addresses, func(x, y any) int { return bytes.Compare(x.([]byte), y.([]byte)) })
	type held struct {
		id      string
		address [sha256.Size]byte
	}
	have, err := in2(ctx, tx, func(r rowScanner) (held, error) {
		var h held
		var address []byte
		err := r.Scan(&h.id, &address)
		h.address = place(address)
		return h, err
	}, "SELECT id, address FROM captured_bytes WHERE authority = ? AND address IN (%s) ORDER BY address"+tx.db.d.forUpdate, string(a), addresses)
	if err != nil {
		return nil, nil, fmt.Errorf("captured bytes: %w", err)
	}
	ids = make(map[[sha256.Size]byte]string, len(fresh))
	for _, h := range have {
		b := fresh[h.address]
		ids[b.Sum] = h.id
		if b.File.Name != "" {
			spare = append(spare, b.File.Name)
		}
		delete(fresh, h.address)
	}
	return ids, spare, tx.addBytes(ctx, a, at, fresh, ids)
}

// addBytes writes bytes that the authority does not hold yet, each under a key
// of its own.
func (tx *Tx) addBytes(ctx context.Context, a concert.AuthorityID, at time.Time, fresh map[[sha256.Size]byte]Bytes, ids map[[sha256.Size]byte]string) error {
	if len(fresh) == 0 {
		return nil
	}
	keys, rows := make([][]any, 0, len(fresh)), make([][]any, 0, len(fresh))
	for address, b := range fresh {
		f, row := b.File, []byte(nil)
		var sum []byte
		if f.Name == "" {
			var key [vault.KeySize]byte
			var purpose []byte
			f, key, purpose = tx.db.NewFile(a)
			var err error
			if row, err = vault.Seal(key, purpose, b.Small); err != nil {
				return err
			}
		} else {
			sum = f.Sum[:]
		}
		file := ""
		if row == nil {
			file = f.Name
		}
		ids[b.Sum] = f.Name
		keys = append(keys, []any{f.Name, tx.db.Keys.WrapKey(f.Key, []byte(f.Name))})
		rows = append(rows, []any{f.Name, string(a), address[:], b.Size, row, file, sum, concert.Micros(at), 0})
	}
	if _, err := tx.insert(ctx, keyTable, "subject, wrapped", keys, ""); err != nil {
		return err
	}
	_, err := tx.insert(ctx, "captured_bytes", "id, authority, address, size, sealed, file, sum, at, erased_at", rows, "")
	return err
}

// in2 is in with one argument before the list.
func in2[T any](ctx context.Context, tx *Tx, scan func(rowScanner) (T, error), text string, first any, ids []any) ([]T, error) {
	var out []T
	for len(ids) > 0 {
		k := chunk(len(ids), 1)
		part, err := list(ctx, tx, scan, fmt.Sprintf(text, "?"+repeat(",?", k-1)), append([]any{first}, ids[:k]...)...)
		if err != nil {
			return nil, err
		}
		out = append(out, part...)
		ids = ids[k:]
	}
	return out, nil
}

// NewestCaptures are the newest captures of the items by one authority, without
// what is sealed: of those whose bytes are there, else of the others.
func (tx *Tx) NewestCaptures(ctx context.Context, a concert.AuthorityID, items []concert.ItemID) (map[concert.ItemID]concert.Capture, error) {
	got, err := in2(ctx, tx, func(r rowScanner) (concert.Capture, error) { return scanCapture(r) },
		"SELECT "+captureCols+" FROM capture c WHERE c.authority = ? AND c.item IN (%s) ORDER BY c.seen_at", string(a), anys(strs(items)))
	if err != nil {
		return nil, fmt.Errorf("captures: %w", err)
	}
	out := make(map[concert.ItemID]concert.Capture, len(items))
	for _, c := range got {
		if have, ok := out[c.Item]; !ok || c.ErasedAt.IsZero() || !have.ErasedAt.IsZero() {
			out[c.Item] = c
		}
	}
	return out, nil
}

// Captures are an item's captures, the newest first.
func (tx *Tx) Captures(ctx context.Context, item concert.ItemID) ([]concert.Capture, error) {
	return list(ctx, tx, tx.openCapture(ctx), "SELECT "+captureCols+", c.sealed, k.wrapped FROM capture c LEFT JOIN "+keyTable+" k ON k.subject = c.item WHERE c.item = ? ORDER BY c.seen_at DESC, c.id DESC", string(item))
}

func (tx *Tx) openCapture(ctx context.Context) func(rowScanner) (concert.Capture, error) {
	return func(r rowScanner) (concert.Capture, error) {
		var sealed, wrapped []byte
		c, err := scanCapture(r, &sealed, &wrapped)
		if err != nil || len(wrapped) == 0 {
			return c, err
		}
		if err := tx.knowKey(string(c.Item), wrapped); err != nil {
			return c, err
		}
		var t concert.CaptureText
		err = tx.open(ctx, string(c.Item), "capture", sealed, &t)
		c.SHA256, c.Vantage = t.SHA256, t.Vantage
		return c, err
	}
}

// Capture is one capture by reference.
func (tx *Tx) Capture(ctx context.Context, ref string) (concert.Capture, error) {
	return tx.openCapture(ctx)(tx.row(ctx, "SELECT "+captureCols+", c.sealed, k.wrapped FROM capture c LEFT JOIN "+keyTable+" k ON k.subject = c.item WHERE c.ref = ?", ref))
}

// CapturedBytes are a capture's bytes as they lie in the store. Whether the
// asker may have them is the caller's to say.
func (tx *Tx) CapturedBytes(ctx context.Context, c concert.Capture) (SealedBytes, error) {
	var b SealedBytes
	var wrapped []byte
	err := tx.row(ctx, "SELECT o.id, o.sealed, o.file, k.wrapped FROM capture c JOIN captured_bytes o ON o.id = c.bytes JOIN "+keyTable+" k ON k.subject = o.id WHERE c.id = ?", string(c.ID)).Scan(&b.ID, &b.Row, &b.File, &wrapped)
	if err != nil {
		return b, fmt.Errorf("bytes of %s: %w", c.Ref, err)
	}
	own, err := tx.db.Keys.UnwrapKey(wrapped, []byte(b.ID))
	if err != nil {
		return b, fmt.Errorf("key of the bytes of %s: %w", c.Ref, err)
	}
	b.Key = tx.db.BytesKey(c.Authority, own)
	return b, nil
}

// SetHash makes captured bytes the item's own, where nothing was known of them;
// it is no change that anybody's reading would have to be compared with.
func (tx *Tx) SetHash(ctx context.Context, it concert.Item, hash string, content [sha256.Size]byte) error {
	sealed, err := tx.seal(ctx, string(it.ID), "item", sealedItem{it.Location, it.Guard.Reason, hash})
	if err != nil {
		return err
	}
	if _, err := tx.exec(ctx, "UPDATE item SET sealed = ?, content = ? WHERE id = ? AND content IS NULL", sealed, content[:], string(it.ID)); err != nil {
		return fmt.Errorf("bytes of item %s: %w", it.Ref, err)
	}
	return nil
}

// EraseCaptures marks captures as erased and destroys the keys of bytes that no
// other capture holds.
func (tx *Tx) EraseCaptures(ctx context.Context, cs []concert.Capture) error {
	if len(cs) > 0 {
		tx.touch("capture")
	}
	for _, c := range cs {
		if _, err := tx.exec(ctx, "UPDATE capture SET erased_at = ? WHERE id = ? AND erased_at = 0", concert.Micros(c.ErasedAt), string(c.ID)); err != nil {
			return fmt.Errorf("erase capture %s: %w", c.Ref, err)
		}
		if err := tx.dropBytes(ctx, c.ID, c.ErasedAt); err != nil {
			return err
		}
	}
	return nil
}

// EraseCapturesOf erases all there is of an item's captures, of every
// authority, and says how many had bytes.
func (tx *Tx) EraseCapturesOf(ctx context.Context, item concert.ItemID, at time.Time) (n int, err error) {
	cs, err := list(ctx, tx, func(r rowScanner) (concert.Capture, error) { return scanCapture(r) }, "SELECT "+captureCols+" FROM capture c WHERE c.item = ?", string(item))
	if err != nil {
		return 0, err
	}
	for i := range cs {
		if cs[i].ErasedAt.IsZero() {
			n++
			cs[i].ErasedAt = at
		}
	}
	if err := tx.EraseCaptures(ctx, cs); err != nil {
		return 0, err
	}
	for _, text := range []string{"UPDATE capture SET sealed = NULL WHERE item = ?", "UPDATE atrocity SET sealed = NULL WHERE item = ?", "UPDATE preservation SET sealed = NULL WHERE item = ?"} {
		if _, err := tx.exec(ctx, text, string(item)); err != nil {
			return 0, fmt.Errorf("erase captures: %w", err)
		}
	}
	return n, nil
}

func (tx *Tx) dropBytes(ctx context.Context, c concert.CaptureID, at time.Time) error {
	// Who adds a capture of the same bytes waits for the row, and finds them gone.
	id, err := scanText(tx.row(ctx, "SELECT id FROM captured_bytes WHERE id = (SELECT bytes FROM capture WHERE id = ?)"+tx.db.d.forUpdate, string(c)))
	if err != nil {
		return fmt.Errorf("erase captured bytes: %w", err)
	}
	var held int
	if err := tx.row(ctx, "SELECT count(*) FROM capture WHERE bytes = ? AND erased_at = 0", id).Scan(&held); err != nil || held > 0 {
		return err
	}
	if _, err := tx.exec(ctx, "DELETE FROM "+keyTable+" WHERE subject = ?", id); err != nil {
		return fmt.Errorf("erase the key of captured bytes: %w", err)
	}
	if _, err := tx.exec(ctx, "UPDATE captured_bytes SET sealed = NULL, address = NULL, erased_at = ? WHERE id = ? AND erased_at = 0", concert.Micros(at), id); err != nil {
		return fmt.Errorf("erase captured bytes: %w", err)
	}
	return nil
}

// GoneFiles are files of erased bytes that may still lie in the vault.
func (tx *Tx) GoneFiles(ctx context.Context, limit int) ([]string, error) {
	return list(ctx, tx, func(r rowScanner) (string, error) { return scanText(r) }, "SELECT file FROM captured_bytes WHERE erased_at > 0 AND file <> '' LIMIT ?", limit)
}

// FilesRemoved notes that files of erased bytes are gone.
func (tx *Tx) FilesRemoved(ctx context.Context, names []string) error {
	for _, name := range names {
		if _, err := tx.exec(ctx, "UPDATE captured_bytes SET file = '' WHERE file = ? AND erased_at > 0", name); err != nil {
			return fmt.Errorf("files of erased captures: %w", err)
		}
	}
	return nil
}

// KnownFiles says which of the files belong to bytes in the store.
func (tx *Tx) KnownFiles(ctx context.Context, names []string) (map[string]bool, error) {
	got, err := in(ctx, tx, func(r rowScanner) (string, error) { return scanText(r) }, "SELECT id FROM captured_bytes WHERE id IN (%s)", anys(names))
	if err != nil {
		return nil, fmt.Errorf("files of captures: %w", err)
	}
	out := make(map[string]bool, len(got))
	for _, name := range got {
		out[name] = true
	}
	return out, nil
}

// CaptureFile is a file of the vault as it is to lie there.
type CaptureFile struct {
	Name string
	Sum  [sha256.Size]byte
	Size int64 // of the plain bytes
}

// CaptureFiles are the files that the store's captures need, for a backup.
func (tx *Tx) CaptureFiles(ctx context.Context) ([]CaptureFile, error) {
	return list(ctx, tx, func(r rowScanner) (CaptureFile, error) {
		var f CaptureFile
		var sum []byte
		err := r.Scan(&f.Name, &sum, &f.Size)
		f.Sum = place(sum)
		return f, err
	}, "SELECT file, sum, size FROM captured_bytes WHERE file <> '' AND erased_at = 0 ORDER BY file")
}
