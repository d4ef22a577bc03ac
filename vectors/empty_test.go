package vectors

import (
	"context"
	"testing"

	"pbochsm/mac"
)

// silent is an HSM that succeeds and does nothing.
type silent struct{}

func (silent) Do(context.Context, []mac.Op) error { return nil }

func TestNoVectorsIsAnError(t *testing.T) {
	for name, families := range map[string][]Family{
		"no families":     nil,
		"an empty family": {{Name: "empty"}},
		"a family among others": {
			{Name: "full", Vectors: All()[0].Vectors},
			{Name: "empty"},
		},
	} {
		if _, err := run(context.Background(), silent{}, families, Options{}); err == nil {
			t.Errorf("%s: a run succeeds", name)
		}
	}
}

func TestKeysOfOneNameMustAgree(t *testing.T) {
	family := All()[0]
	twice := []Family{family, family}
	keys, err := provisioned(twice)
	if err != nil || len(keys) != len(family.Provision) {
		t.Fatalf("the same keys twice: %d keys, %v; want %d", len(keys), err, len(family.Provision))
	}
	twice[1].Provision = append([]TestKey(nil), family.Provision...)
	twice[1].Provision[0].Levels++
	if _, err := provisioned(twice); err == nil {
		t.Fatal("two keys of one name are taken")
	}
}

// TestMalformedVectors holds that a vector which does not say what it means is
// an error and not a check that happens to pass.
func TestMalformedVectors(t *testing.T) {
	load, err := Read("published-load")
	if err != nil {
		t.Fatal(err)
	}
	for name, edit := range map[string]func(*Vector){
		"unknown operation": func(v *Vector) { v.Operation = "recharge" },
		"short key":         func(v *Vector) { v.Key = "01/01" },
		"key not spelt so":  func(v *Vector) { v.Key = "0101/00" },
		"short factor":      func(v *Vector) { v.Factors = []string{"1122"} },
		"short field":       func(v *Vector) { v.Fields["random"] = "1122" },
		"no hexadecimal":    func(v *Vector) { v.Fields["random"] = "1122334G" },
		"missing field":     func(v *Vector) { delete(v.Fields, "date") },
		"foreign field":     func(v *Vector) { v.Fields["tac"] = "11223344" },
	} {
		v := load.Vectors[0]
		v.Fields = map[string]string{}
		for k, value := range load.Vectors[0].Fields {
			v.Fields[k] = value
		}
		if _, err := v.Op(); err != nil {
			t.Fatalf("before the edit: %v", err)
		}
		edit(&v)
		if _, err := v.Op(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	var e Expect
	if err := e.UnmarshalText([]byte("acept")); err == nil {
		t.Error("an unknown verdict is taken")
	}
}
