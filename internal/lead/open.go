package lead

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"filippo.io/age"
)

// Limits of a package that is read: bytes of all its files, and of the encrypted file.
const (
	bytesMost = 128 << 20
	fileMost  = bytesMost + 1<<20
)

var required = [...]string{fileBagit, fileInfo, fileSums, fileTags, fileSeal, fileReport, fileProof, "data/caveats.md", "data/case-uco.jsonld", "data/definitions.md", "data/persons.csv", "data/report.csv", "data/report.html"}

// known reports whether a package has a file of the name: there is nothing else in
// one, so that no name leads anywhere.
func known(name string) bool {
	return slices.Contains(required[:], name) || name == fileCustody || name == fileCustodyHead
}

// Decrypt reads an encrypted package under limits. It judges nothing: Verify does.
func Decrypt(r io.Reader, identities ...age.Identity) (Bag, error) {
	plain, err := age.Decrypt(io.LimitReader(r, fileMost), identities...)
	var none *age.NoIdentityMatchError
	if errors.As(err, &none) {
		return nil, errors.New("the package is not encrypted to this key: the secret key of the recipient whom the sender named opens it")
	}
	if err != nil {
		return nil, fmt.Errorf("this is no encrypted package, or it was damaged: %w", err)
	}
	b, err := ReadTar(plain)
	if err != nil {
		return nil, err
	}
	// The tar ended; what age has to say comes with its own end.
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return nil, fmt.Errorf("the package was damaged: %w", err)
	}
	return b, nil
}

// ReadTar reads a package's tar file: the files that a package has, each once, below
// one directory, and nothing else.
func ReadTar(r io.Reader) (Bag, error) {
	b, total, top := Bag{}, int64(0), ""
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the package is no whole tar file: %w", err)
		}
		dir, name, ok := strings.Cut(h.Name, "/")
		switch {
		case h.Typeflag != tar.TypeReg:
			return nil, fmt.Errorf("the package has an entry %.200q that is no plain file: it was not made by this program, nothing of it was written", h.Name)
		case !ok || !known(name) || dir == "" || dir == "." || dir == ".." || top != "" && dir != top:
			return nil, fmt.Errorf("the package has an entry %.200q, which no package has: nothing of it was written", h.Name)
		case b[name] != nil:
			return nil, fmt.Errorf("the package has %.200q twice: nothing of it was written", h.Name)
		}
		top = dir
		if total += h.Size; total > bytesMost {
			return nil, fmt.Errorf("the package has more than %d MiB: nothing of it was written", bytesMost>>20)
		}
		text, err := io.ReadAll(tr)
		if err != nil {
			return nil, fmt.Errorf("the package is no whole tar file: %w", err)
		}
		b[name] = append([]byte{}, text...)
	}
}

// ReadDir reads an opened package, and names what lies there beside its files.
func ReadDir(dir string) (b Bag, strange []string, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	b = Bag{}
	total := int64(0)
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." || name == "data" && d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() || !known(name) {
			strange = append(strange, name)
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		f, err := root.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		text, err := io.ReadAll(io.LimitReader(f, bytesMost-total+1))
		if total += int64(len(text)); total > bytesMost {
			return fmt.Errorf("%s has more than %d MiB: it is no package", dir, bytesMost>>20)
		}
		b[name] = append([]byte{}, text...)
		return err
	})
	if err == nil && len(b) == 0 {
		err = fmt.Errorf("%s is no package: lead open makes one", dir)
	}
	return b, strange, err
}
