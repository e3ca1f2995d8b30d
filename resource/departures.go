package resource

// departures is a heap of entries, the first to leave on top.
type departures []*Revocation

func (d departures) Len() int           { return len(d) }
func (d departures) Less(i, j int) bool { return d[i].Until.Before(d[j].Until) }
func (d departures) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *departures) Push(x any)        { *d = append(*d, x.(*Revocation)) }
func (d *departures) Pop() any {
	last := len(*d) - 1
	r := (*d)[last]
	(*d)[last] = nil
	*d = (*d)[:last]
	return r
}
