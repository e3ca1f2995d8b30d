package password

import "container/heap"

// order is a heap of lines, the first by its measure in front.
type order struct {
	lines []*line
	by    func(a, b *line) bool
	is    int // which of line.at
}

var _ heap.Interface = (*order)(nil)

// sooner is whose turn is first.
func sooner(a, b *line) bool { return a.due < b.due || a.due == b.due && a.came < b.came }

// fuller is who holds more; of two who hold as much, who came last.
func fuller(a, b *line) bool { return a.work > b.work || a.work == b.work && a.came > b.came }

func (o *order) Len() int           { return len(o.lines) }
func (o *order) Less(i, j int) bool { return o.by(o.lines[i], o.lines[j]) }

func (o *order) Swap(i, j int) {
	o.lines[i], o.lines[j] = o.lines[j], o.lines[i]
	o.lines[i].at[o.is], o.lines[j].at[o.is] = i, j
}

// Push is for package heap.
func (o *order) Push(l any) {
	l.(*line).at[o.is] = len(o.lines)
	o.lines = append(o.lines, l.(*line))
}

// Pop is for package heap.
func (o *order) Pop() any {
	last := len(o.lines) - 1
	l := o.lines[last]
	o.lines[last] = nil
	o.lines = o.lines[:last]
	return l
}
