package cardtest

import (
	"bytes"
	"maps"
	"slices"

	"pbochsm/keystore"
)

// A File is one of those that a purse card has besides its money.
type File uint16

// Files. What is written into those of the holder's comes enciphered.
const (
	FilePublic   File = 0x0015 // 公共应用基本数据文件
	FileHolder   File = 0x0016 // 持卡人基本数据文件
	FileCompound File = 0x0017 // 复合消费专用文件: a record begins with its tag
	FileRecords  File = 0x0019 // records about the holder
)

// HolderSize is how long the holder's file is.
const HolderSize = 55

// maxRecords is how many records a file can have.
const maxRecords = 16

// enciphered tells whether what is written into f comes enciphered.
func (f File) enciphered() bool { return f == FileHolder || f == FileRecords }

// files are the contents that were written since personalisation.
type files struct {
	Binary  map[File][]byte   `json:",omitempty"`
	Records map[File][][]byte `json:",omitempty"`
}

func (f *files) clone() files {
	to := files{Binary: maps.Clone(f.Binary), Records: maps.Clone(f.Records)}
	for name, content := range to.Binary {
		to.Binary[name] = bytes.Clone(content)
	}
	for name, records := range to.Records {
		to.Records[name] = slices.Clone(records) // a record is replaced, never changed
	}
	return to
}

// commit writes what a compound purchase has staged.
func (f *files) commit(all []staged) {
	for _, s := range all {
		f.Records[FileCompound][s.at] = s.record
	}
}

// Binary is the content of a binary file, first where nothing was written yet.
func (c *Card) Binary(f File, first []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if content, ok := c.files.Binary[f]; ok {
		return bytes.Clone(content)
	}
	return first
}

// Record is the record of a file at a place from 1 on.
func (c *Card) Record(f File, n int) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if all := c.files.Records[f]; n >= 1 && n <= len(all) {
		return bytes.Clone(all[n-1]), nil
	}
	return nil, StatusNoRecord
}

// TaggedRecord is the record of a file that begins with tag.
func (c *Card) TaggedRecord(f File, tag byte) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.files.Records[f]
	if at := slices.IndexFunc(all, func(r []byte) bool { return r[0] == tag }); at >= 0 {
		return bytes.Clone(all[at]), nil
	}
	return nil, StatusNoRecord
}

// UpdateBinary is UPDATE BINARY 写二进制文件 under line protection, from offset
// on; first is what the file holds where nothing was written yet. See [PBOC] 6.
func (c *Card) UpdateBinary(f File, s Secured, offset int, first []byte) error {
	return c.update(f, s, func(data []byte) error {
		content, ok := c.files.Binary[f]
		if !ok {
			content = bytes.Clone(first)
		}
		if offset+len(data) > len(content) {
			return StatusOffset
		}
		copy(content[offset:], data)
		if c.files.Binary == nil {
			c.files.Binary = map[File][]byte{}
		}
		c.files.Binary[f] = content
		return nil
	})
}

// UpdateRecord is UPDATE RECORD 写记录文件 under line protection: the record at
// place n, or the next one. See [PBOC] 6.
func (c *Card) UpdateRecord(f File, s Secured, n int) error {
	return c.update(f, s, func(data []byte) error {
		all := c.files.Records[f]
		if n < 1 || n > len(all)+1 || n > maxRecords {
			return StatusNoRecord
		}
		if n > len(all) {
			all = append(all, nil)
		}
		all[n-1] = bytes.Clone(data)
		if c.files.Records == nil {
			c.files.Records = map[File][][]byte{}
		}
		c.files.Records[f] = all
		return nil
	})
}

// update writes the content of a secured command.
func (c *Card) update(f File, s Secured, write func(data []byte) error) error {
	return c.command(func() error {
		k, err := c.authentic(keystore.UsageMaintenance, s)
		if err != nil {
			return err
		}
		data := s.Body
		if f.enciphered() {
			if data, err = content(k, s.Body); err != nil {
				return err
			}
		}
		if len(data) == 0 {
			return StatusData
		}
		return write(data)
	})
}
