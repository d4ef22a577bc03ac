package keystore

import "fmt"

// A profileRecord is a Profile in the file. Only switches that differ from
// their first reading are written, so that a new switch changes no file.
type profileRecord struct {
	Set      hexByte            `json:"set"`
	Name     string             `json:"name"`
	Switches map[string]string  `json:"switches"`
	Ciphers  map[hexByte]Cipher `json:"ciphers"`
}

func profileRecords(profiles []Profile) []profileRecord {
	var records []profileRecord
	for i := range profiles {
		p := &profiles[i]
		r := profileRecord{hexByte(p.Set), p.Name, map[string]string{}, map[hexByte]Cipher{}}
		for s, v := range p.Switches {
			if v != 0 {
				r.Switches[switches[s].Name] = switches[s].Readings[v]
			}
		}
		for id, c := range p.Ciphers {
			if c != 0 {
				r.Ciphers[hexByte(id)] = c
			}
		}
		records = append(records, r)
	}
	return records
}

func readProfiles(records []profileRecord) ([]Profile, error) {
	var profiles []Profile
	for i, r := range records {
		if i > 0 && r.Set <= records[i-1].Set {
			return nil, fmt.Errorf("%w: profile of set %02X out of order", ErrDamaged, byte(r.Set))
		}
		p := Profile{Set: byte(r.Set), Name: r.Name}
		for name, reading := range r.Switches {
			if err := p.Turn(name, reading); err != nil {
				return nil, fmt.Errorf("%w: profile of set %02X: %w", ErrDamaged, byte(r.Set), err)
			}
		}
		for id, c := range r.Ciphers {
			p.Ciphers[id] = c
		}
		profiles = append(profiles, p)
	}
	return profiles, nil
}

// Turn sets the switch of that name to a reading of its list.
func (p *Profile) Turn(name, reading string) error {
	for s := range switches {
		if switches[s].Name != name {
			continue
		}
		v, err := names(switches[s].Readings).value("reading", reading)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		p.Switches[s] = v - 1
		return nil
	}
	var known names
	for i := range switches {
		known = append(known, switches[i].Name)
	}
	_, err := known.value("switch", name)
	return err
}
