package password

import "container/heap"

// queue is who waits for a hash. They stand in lines, and lines stand in lines:
// in the line of a network those of its addresses, in that of an address those
// of the accounts that are asked about from there. All that stand in one line
// take turns, so that each gets as much of the time as any other, however many
// stand in it. No call takes longer than the logarithm of how many wait. It is
// not safe for concurrent use.
type queue struct {
	root line
	// room is how much work may wait; one hash may overrun it.
	room int64
	// unit is the least that a hash counts.
	unit    int64
	waiting int
	came    int64
}

// line is one who waits, or a line of such.
type line struct {
	name  string
	in    *line // nil: it does not wait, or no more
	lines map[string]*line
	// sooner and fuller have all that stand in it.
	sooner, fuller order
	at             [2]int // in those of in

	work int64 // of all who wait in it
	// due is when its turn is, by the clock of in, which stands at what was due
	// last. came decides between those that are due at once.
	clock, due, came int64

	// turn tells one who waits, once, that it may go on or has to go away. A line
	// of such has none.
	turn chan bool
}

func newQueue(room int, unit int64) *queue {
	return &queue{root: *newLine(""), room: int64(room) * unit, unit: unit}
}

func newLine(name string) *line {
	return &line{name: name, lines: map[string]*line{}, sooner: order{by: sooner}, fuller: order{by: fuller, is: 1}}
}

// join lets one wait in the line of these names, the widest first, or returns
// nil. The widest may hold a quarter of the room while others wait. Where none is
// left, the last to come of those who hold most have to go for one who holds less.
func (q *queue) join(names []string, work int64) *line {
	work = max(work, q.unit)
	if len(names) > 0 {
		widest := q.root.lines[names[0]]
		if widest != nil && widest.work < q.root.work && widest.work >= q.room/4 {
			return nil
		}
	}
	for q.root.work >= q.room {
		last := q.root.displaced(names, work)
		if last == nil {
			return nil
		}
		q.remove(last)
		last.turn <- false
	}
	in := &q.root
	for _, name := range names {
		l := in.lines[name]
		if l == nil {
			l = newLine(name)
			in.lines[name] = l
			q.add(l, in)
		}
		in = l
	}
	w := &line{turn: make(chan bool, 1)}
	q.add(w, in)
	q.waiting++
	for l := w; l != nil; l = l.in {
		l.work += work
		if l.in != nil {
			heap.Fix(&l.in.fuller, l.at[1])
		}
	}
	return w
}

// add puts l at the end of a line: after one turn of each that stands there.
func (q *queue) add(l, in *line) {
	q.came++
	l.in, l.due, l.came = in, in.clock+q.unit, q.came
	heap.Push(&in.sooner, l)
	heap.Push(&in.fuller, l)
}

// displaced is who has to go for one with so much work in the line of these
// names, or nil: where their ways part, the fullest line has more than the other
// would have.
func (l *line) displaced(names []string, work int64) *line {
	for _, name := range names {
		most, own := l.fuller.lines[0], l.lines[name]
		if most == own {
			l = own
			continue
		}
		if own != nil {
			work += own.work
		}
		if most.work <= work {
			return nil
		}
		for most.turn == nil {
			most = most.fuller.lines[0]
		}
		return most
	}
	return nil
}

// take removes and returns the one whose turn it is, nil if nobody waits. What
// its hash costs is charged to each of its lines.
func (q *queue) take() *line {
	if q.waiting == 0 {
		return nil
	}
	w := &q.root
	for w.turn == nil {
		first := w.sooner.lines[0]
		w.clock = first.due
		w = first
	}
	for l := w.in; l.in != nil; l = l.in {
		q.came++
		l.due, l.came = l.due+w.work, q.came
		heap.Fix(&l.in.sooner, l.at[0])
	}
	q.remove(w)
	return w
}

// remove takes one who waits out of the queue, with the lines that end with it.
func (q *queue) remove(w *line) {
	q.waiting--
	work := w.work
	for l := w; l != nil; {
		in := l.in
		l.work -= work
		switch {
		case in == nil:
		case l.work > 0:
			heap.Fix(&in.fuller, l.at[1])
		default:
			heap.Remove(&in.sooner, l.at[0])
			heap.Remove(&in.fuller, l.at[1])
			if l.turn == nil {
				delete(in.lines, l.name)
			}
			l.in = nil
		}
		l = in
	}
}
