//! The columns of the tables of [`super::tables`]. Columns compress better than rows.

/// A packed mapping; each field is a column.
pub(super) struct Mapping {
    /// How far each run starts behind the end of the last one.
    pub(super) gaps: &'static [u8],
    /// 0: one character; 4n+1: n that follow each other; 4n+2: every second one, n of them; 4n+3: n
    /// with the same target; 4n: one character that becomes n.
    pub(super) kinds: &'static [u8],
    /// Each character of a run's first target if it is ASCII, else 0.
    pub(super) ascii: &'static [u8],
    /// For each 0 of `ascii`, how far the character is from the run's first.
    pub(super) others: &'static [u8],
}

/// Packed decompositions; each field is a column.
pub(super) struct Composed {
    /// How far each character is from the last.
    pub(super) gaps: &'static [u8],
    /// How far its base is from the last one's.
    pub(super) bases: &'static [u8],
    /// The place of its mark in the list of marks, from 1; 0 if there is none.
    pub(super) marks: &'static [u8],
    /// The marks.
    pub(super) list: &'static [u8],
}
