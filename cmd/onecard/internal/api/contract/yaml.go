package contract

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mapping makes an object that keeps the order of its names, which a Go map
// would lose.
func mapping(pairs ...any) *yaml.Node {
	m := &yaml.Node{Kind: yaml.MappingNode}
	add(m, pairs...)
	return m
}

// add appends names, each with its value behind it.
func add(m *yaml.Node, pairs ...any) {
	for _, pair := range pairs {
		m.Content = append(m.Content, node(pair))
	}
}

func list(items ...any) *yaml.Node {
	l := &yaml.Node{Kind: yaml.SequenceNode}
	for _, item := range items {
		l.Content = append(l.Content, node(item))
	}
	return l
}

// ref points at a component.
func ref(kind, name string) *yaml.Node {
	return mapping("$ref", "#/components/"+kind+"/"+name)
}

// node is a value as YAML. Strings are marked as such: 01 is a code, not a
// number.
func node(v any) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode}
	switch v := v.(type) {
	case *yaml.Node:
		return v
	case string:
		n.Tag, n.Value = "!!str", v
		if strings.Contains(v, "\n") {
			n.Style = yaml.LiteralStyle
		}
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(v)
	case int:
		n.Tag, n.Value = "!!int", strconv.Itoa(v)
	}
	return n
}
