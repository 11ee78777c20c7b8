package accesslog

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// hasher is what one run's tables hash with: seeds drawn for the run, so that
// nobody can write a log whose keys all fall together.
type hasher struct {
	seed   maphash.Seed
	k0, k1 uint64
}

func newHasher() hasher {
	s := maphash.MakeSeed()
	return hasher{s, maphash.String(s, "k0") | 1, maphash.String(s, "k1") | 1}
}

func (h hasher) text(b []byte) uint64     { return maphash.Bytes(h.seed, b) }
func (h hasher) address(a address) uint64 { return mix(a.hi^h.k0, a.lo^h.k1) }

// mix is one round of wyhash: the two halves of a product folded.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// fixedHash is the same in every run, for what must estimate the same twice.
func fixedHash(b []byte) uint64 {
	const k0, k1, k2 = 0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3
	h := uint64(len(b)) * k0
	for len(b) > 16 {
		h = mix(binary.LittleEndian.Uint64(b)^k1, binary.LittleEndian.Uint64(b[8:])^h)
		b = b[16:]
	}
	var x, y uint64
	switch {
	case len(b) >= 8:
		x, y = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[len(b)-8:])
	default:
		for i := len(b) - 1; i >= 0; i-- {
			x = x<<8 | uint64(b[i])
		}
	}
	return mix(k2^uint64(len(b)), mix(x^k1, y^h))
}

// What is known of a visitor.
const (
	present    uint8 = 1 << iota // the slot is taken
	human                        // at least one access by no known bot
	robot                        // at least one access by a known bot
	viewer                       // at least one access to judged content
	unreliable                   // its network says nothing about a country
	isNamed                      // a host name, no address
	viewerBot                    // judged content, by a bot only
)

// visitor is one client of a worker, packed into half a cache line.
type visitor struct {
	address
	agent   uint64 // hash of its last agent, so that pairs are looked up only when it changes
	code    uint32 // in the words of the worker's rows; 0 where it has none yet
	country uint16
	flags   uint8
}

const visitorBytes = 32

// visitors is an open-addressing table of clients.
type visitors struct {
	slots []visitor
	n     int
	hash  hasher
}

func newVisitors(h hasher) *visitors { return &visitors{make([]visitor, 256), 0, h} }

// touch asks memory for the place where a client will be looked for.
func (t *visitors) touch(hash uint64) uint8 { return t.slots[hash&uint64(len(t.slots)-1)].flags }

// at finds the client or makes a place for it; fresh tells a new one. The place
// is good until the next call.
func (t *visitors) at(a address, hash uint64) (v *visitor, fresh bool) {
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		v = &t.slots[i]
		if v.lo == a.lo && v.hi == a.hi && v.flags&present != 0 {
			return v, false
		}
		if v.flags&present == 0 {
			break
		}
	}
	if t.n*8 >= len(t.slots)*5 {
		t.grow()
		return t.at(a, hash)
	}
	t.n++
	*v = visitor{address: a, flags: present}
	return v, true
}

func (t *visitors) grow() {
	old := t.slots
	t.slots = make([]visitor, 2*len(old))
	mask := uint64(len(t.slots) - 1)
	for _, v := range old {
		if v.flags&present == 0 {
			continue
		}
		i := t.hash.address(v.address) & mask
		for t.slots[i].flags&present != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = v
	}
}

// uncode forgets the codes of all.
func (t *visitors) uncode() {
	for i := range t.slots {
		t.slots[i].code = 0
	}
}

func (t *visitors) size() int { return len(t.slots) * visitorBytes }

// merge adds what another worker saw.
func (t *visitors) merge(o *visitors) {
	for _, v := range o.slots {
		if v.flags&present != 0 {
			mine, _ := t.at(v.address, t.hash.address(v.address))
			mine.flags |= v.flags
			mine.country = v.country
		}
	}
}

// numbers is a set of numbers other than 0, each hashed already.
type numbers struct {
	slots []uint64
	n     int
}

func newNumbers() *numbers { return &numbers{slots: make([]uint64, 256)} }

// add puts a number in and reports whether it is new.
func (s *numbers) add(x uint64) bool {
	if x == 0 {
		x = 1
	}
	mask := uint64(len(s.slots) - 1)
	i := (x >> 1) & mask
	for ; s.slots[i] != 0; i = (i + 1) & mask {
		if s.slots[i] == x {
			return false
		}
	}
	s.slots[i] = x
	if s.n++; s.n*8 >= len(s.slots)*5 {
		old := s.slots
		s.slots, s.n = make([]uint64, 2*len(old)), 0
		for _, x := range old {
			if x != 0 {
				s.add(x)
			}
		}
	}
	return true
}

func (s *numbers) size() int { return len(s.slots) * 8 }

func (s *numbers) merge(o *numbers) {
	for _, x := range o.slots {
		if x != 0 {
			s.add(x)
		}
	}
}

// text is one key of a texts table and how often it came.
type text struct {
	hash uint64
	n    uint64
	at   uint32 // block and place in it
	len  uint16
	mark uint16 // what the key's owner remembers of it
}

const (
	textBytes = 24
	blockBits = 16
	// longestKey is as much of a text as a table tells apart.
	longestKey = 2048
)

// texts counts texts: open addressing, the texts themselves one after another in
// blocks, so that nothing is allocated for a line or for a key. Texts are told
// apart by 63 bits of a keyed hash alone, since each comparison of the texts would
// wait for memory: that any two of 100,000 are taken for one has a chance of 1 in
// 10^9, and nobody can bring it about who does not know the run's seed.
type texts struct {
	slots  []text
	blocks [][]byte
	free   int // bytes left in the last block
	n      int
	hash   hasher
}

func newTexts(h hasher) *texts { return &texts{slots: make([]text, 256), hash: h} }

// at finds the key or makes a place for it. A key beyond longestKey is cut.
func (t *texts) at(key []byte) (e *text, fresh bool) {
	if len(key) > longestKey {
		key = key[:longestKey]
	}
	return t.hashed(key, t.hash.text(key)|1<<63)
}

// touch asks memory for the place where a text will be looked for.
func (t *texts) touch(hash uint64) uint64 { return t.slots[hash&uint64(len(t.slots)-1)].hash }

// hashed is at with the hash, whose highest bit is set, since an empty slot has 0.
func (t *texts) hashed(key []byte, hash uint64) (e *text, fresh bool) {
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		e = &t.slots[i]
		if e.hash == hash {
			return e, false
		}
		if e.hash == 0 {
			break
		}
	}
	if t.n*8 >= len(t.slots)*5 {
		t.grow()
		return t.hashed(key, hash)
	}
	t.n++
	*e = text{hash: hash, at: t.keep(key), len: uint16(len(key))}
	return e, true
}

func (t *texts) key(e *text) []byte {
	at := e.at & (1<<blockBits - 1)
	return t.blocks[e.at>>blockBits][at : at+uint32(e.len)]
}

func (t *texts) keep(key []byte) uint32 {
	if t.free < len(key) || len(t.blocks) == 0 {
		t.blocks = append(t.blocks, make([]byte, 1<<blockBits))
		t.free = 1 << blockBits
	}
	block := len(t.blocks) - 1
	at := 1<<blockBits - t.free
	copy(t.blocks[block][at:], key)
	t.free -= len(key)
	return uint32(block<<blockBits | at&(1<<blockBits-1))
}

func (t *texts) grow() {
	old := t.slots
	t.slots = make([]text, 2*len(old))
	mask := uint64(len(t.slots) - 1)
	for _, e := range old {
		if e.hash == 0 {
			continue
		}
		i := e.hash & mask
		for t.slots[i].hash != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = e
	}
}

func (t *texts) size() int { return len(t.slots)*textBytes + len(t.blocks)<<blockBits }

// each calls f for every key.
func (t *texts) each(f func(key []byte, e *text)) {
	for i := range t.slots {
		if t.slots[i].hash != 0 {
			f(t.key(&t.slots[i]), &t.slots[i])
		}
	}
}
