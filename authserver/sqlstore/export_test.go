package sqlstore

// FirstKept is the statement that retention looks for the first row to keep with.
const FirstKept = firstKept
