package settlement_test

import (
	"strings"
	"testing"

	"pbochsm/cmd/pbochsm/internal/settlement"
)

// The published example of a load's TAC, under the card's own key A0/01/00.
var sound = map[string]string{
	"operation": "load-tac", "set": "A0", "version": "01", "algorithm": "00", "new-balance": "00007531",
	"online-counter": "0123", "amount": "00002711", "type": "01", "terminal": "112233445566",
	"date": "20240315", "time": "102031", "tac": "830F6BA9",
}

func with(changes ...string) map[string]string {
	m := map[string]string{}
	for k, v := range sound {
		m[k] = v
	}
	for i := 0; i < len(changes); i += 2 {
		m[changes[i]] = changes[i+1]
	}
	return m
}

func line(values map[string]string, names []string) string {
	var all []string
	for _, n := range names {
		all = append(all, values[n])
	}
	return strings.Join(all, ",")
}

func TestEachLineGetsItsVerdict(t *testing.T) {
	names := settlement.Names()
	for _, c := range []struct{ name, line, want string }{
		{"as published", line(sound, names), "ok,"},
		{"lower case", strings.ToLower(line(sound, names)), "ok,"},
		{"quoted", `"` + strings.ReplaceAll(line(sound, names), ",", `","`) + `"`, "ok,"},
		{"a quoted value among others", line(with("amount", `"00002711"`), names), "ok,"},
		{"another TAC", line(with("tac", "830F6BA8"), names), "mismatch,"},
		{"another amount", line(with("amount", "00002712"), names), "mismatch,"},
		{"a field that the operation does not need", line(with("terminal-serial", "nonsense"), names), "ok,"},
		{"a quote that is left open", line(with("tac", `"830F6BA9`), names), "malformed,tac"},
		{"no digits", line(with("amount", "forty yuan"), names), "malformed,amount"},
		{"a sign", line(with("amount", "-0002711"), names), "malformed,amount"},
		{"a digit too few", line(with("tac", "830F6BA"), names), "malformed,tac"},
		{"a digit too many", line(with("tac", "830F6BA90"), names), "malformed,tac"},
		{"blanks around a value", line(with("tac", " 830F6BA9"), names), "malformed,tac"},
		{"no amount", line(with("amount", ""), names), "malformed,amount"},
		{"no set", line(with("set", ""), names), "malformed,set"},
		{"no operation", line(with("operation", ""), names), "malformed,operation"},
		{"an operation without a TAC", line(with("operation", "load"), names), "malformed,operation"},
		{"a factor too many", line(with("factor-1", "0011223344556677"), names), "invalid,factors"},
		{"half a factor", line(with("factor-1", "00112233"), names), "malformed,factor-1"},
		{"an inner factor alone", line(with("factor-2", "0011223344556677"), names), "malformed,factor-1"},
		{"a value too few", strings.TrimSuffix(line(sound, names), ",830F6BA9"), "malformed,columns"},
		{"a value too many", line(sound, names) + ",", "malformed,columns"},
		{"something else", "TOTAL 17", "malformed,columns"},
		{"the 30th of February", line(with("date", "20240230"), names), "invalid,date"},
		{"25 o'clock", line(with("time", "250000"), names), "invalid,time"},
		{"the type of a purchase", line(with("type", "06"), names), "invalid,type"},
		{"no such version", line(with("version", "77"), names), "no-key,"},
		{"no such set", line(with("set", "77"), names), "no-key,"},
		{"another algorithm", line(with("algorithm", "01"), names), "no-key,"},
		{"a retired key", line(with("set", "A1", "version", "03", "factor-1", "0011223344556677"), names), "inactive-key,"},
		{"a line without end", strings.Repeat("9", 70<<10), "malformed,length"},
		{"a line longer than a chunk", strings.Repeat("9", 300<<10), "malformed,length"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// Its neighbours must not suffer.
			good := line(sound, names)
			text := strings.Join([]string{strings.Join(names, ","), good, "", c.line, good}, "\n") + "\n"
			_, got := verdicts(t, options(fast(t), write(t, "file", []byte(text))))
			want := settlement.VerdictHeader + "1,2,ok,\n1,4," + c.want + "\n1,5,ok,\n"
			if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

func TestColumnsAndConstants(t *testing.T) {
	constants := func(factors []string, pairs ...string) settlement.Constants {
		c := settlement.Constants{Values: map[string]string{}, Factors: factors}
		for i := 0; i < len(pairs); i += 2 {
			c.Values[pairs[i]] = pairs[i+1]
		}
		return c
	}
	key := []string{"operation", "load-tac", "set", "A0", "version", "01", "algorithm", "00"}
	short := "new-balance,online-counter,amount,type,terminal,date,time,tac"
	values := line(sound, strings.Split(short, ","))
	for _, c := range []struct {
		name, text, want string
		format           settlement.Format
	}{
		{"constants for what lacks", short + "\n" + values, "1,2,ok,\n", &settlement.CSV{Constants: constants(nil, key...)}},
		{"other columns and another order", "remark," + short + ",clerk\nx \"y\"," + values + ",\n", "1,2,ok,\n",
			&settlement.CSV{Separator: ',', Constants: constants(nil, key...)}},
		{"a column that means nothing", "remark,tac," + strings.TrimSuffix(short, ",tac") + "\n一,830F6BA9," + strings.TrimSuffix(values, ",830F6BA9"),
			"1,2,ok,\n", &settlement.CSV{Constants: constants(nil, key...)}},
		{"a constant where the value is blank", "set," + short + "\n," + values + "\nA0," + values + "\n77," + values,
			"1,2,ok,\n1,3,ok,\n1,4,no-key,\n", &settlement.CSV{Constants: constants(nil, key...)}},
		{"a blank value that looks full", "remark,date," + strings.Replace(short, "date,", "", 1) + "\nx,," + strings.Replace(values, "20240315,", "", 1),
			"1,2,ok,\n", &settlement.CSV{Constants: constants(nil, append(key, "date", "20240315")...)}},
		{"no first line", values, "1,1,ok,\n", &settlement.CSV{Columns: strings.Split(short, ","), Constants: constants(nil, key...)}},
		{"semicolons and quotes", strings.ReplaceAll(`"`+strings.ReplaceAll(short, ",", `","`)+"\"\n"+values, ",", ";"), "1,2,ok,\n",
			&settlement.CSV{Separator: ';', Constants: constants(nil, key...)}},
		{"a constant outer factor", "factor-1," + short + "\n0011223344556677," + values, "1,2,invalid,factors\n",
			&settlement.CSV{Constants: constants([]string{"8899AABBCCDDEEFF"}, key...)}},
		{"a layout", "H\nload  830F6BA9 0123000027110111223344556620240315102031     00007531\n", "1,2,ok,\n", &settlement.Layout{
			Skip: 1, Operations: map[string]string{"load": "load-tac"},
			Constants: map[string]string{"set": "A0", "version": "01", "algorithm": "00"},
			Columns: []settlement.Place{
				{Name: "operation", Start: 1, Width: 6}, {Name: "tac", Start: 7, Width: 9}, {Name: "online-counter", Start: 16, Width: 4},
				{Name: "amount", Start: 20, Width: 8}, {Name: "type", Start: 28, Width: 2}, {Name: "terminal", Start: 30, Width: 12},
				{Name: "date", Start: 42, Width: 8}, {Name: "time", Start: 50, Width: 6}, {Name: "new-balance", Start: 56, Width: 13},
			},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := options(fast(t), write(t, "file", []byte(c.text)))
			o.Format = c.format
			if _, got := verdicts(t, o); got != settlement.VerdictHeader+c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// A blank where a constant stands must not leave a trace in it, even where the
// line has a separator in the place where the blank value would have ended.
func TestBlankValuesLeaveConstantsAlone(t *testing.T) {
	for _, names := range []string{
		"operation,set,version,algorithm,new-balance,online-counter,amount,date,time,type,terminal,tac",
		"operation,time,set,version,algorithm,new-balance,date,online-counter,type,amount,terminal,tac",
	} {
		for _, blank := range settlement.Fields() {
			testBlank(t, strings.Split(names, ","), blank.String())
		}
	}
}

func testBlank(t *testing.T, names []string, blank string) {
	constants := map[string]string{}
	for _, f := range settlement.Fields() {
		if v, ok := sound[f.String()]; ok {
			constants[f.String()] = v
		}
	}
	text := strings.Join(names, ",") + "\n" + line(with(blank, ""), names) + "\n"
	o := options(fast(t), write(t, "file", []byte(text)))
	o.Format = &settlement.CSV{Constants: settlement.Constants{Values: constants}}
	if _, got := verdicts(t, o); got != settlement.VerdictHeader+"1,2,ok,\n" {
		t.Errorf("%s%s", text, got)
	}
}

func TestLayoutsThatAreRefused(t *testing.T) {
	for _, c := range []struct{ name, layout, want string }{
		{"another member", "colums: []", "colums"},
		{"two layouts", "skip: 0\n---\nskip: 1\n", "more than one"},
		{"nothing", "", "EOF"},
		{"a name that is none", "columns: [{name: sum, start: 1, width: 8}]", `"sum"`},
		{"twice the same", "columns: [{name: tac, start: 1, width: 8}, {name: tac, start: 9, width: 8}]", "two columns tac"},
		{"from byte 0", "columns: [{name: tac, start: 0, width: 8}]", "at least 1"},
		{"too narrow", "columns: [{name: tac, start: 1, width: 7}]", "no room for 8"},
		{"not enough", "columns: [{name: tac, start: 1, width: 8}]", "lacks"},
		{"no operation", "operations: {L: load}", "is none of"},
		{"a constant that is none", "constants: {amount: '1'}", "8 hexadecimal digits"},
		{"a constant factor column", "constants: {factor-1: '0011223344556677'}", "cannot be a constant"},
		{"five factors", "factors: ['0','0','0','0','0']", "at most 4"},
		{"a negative skip", "skip: -1", "negative"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := settlement.ReadLayout(strings.NewReader(c.layout))
			if err == nil {
				o := options(yes{}, write(t, "file", []byte("x\n")))
				o.Format = l
				_, err = settlement.Run(t.Context(), o)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}
