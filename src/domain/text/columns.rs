//! The columns of the tables in [`super::tables`]. Columns compress better than rows.

/// A packed mapping. Each field is a column.
pub(super) struct Mapping {
    /// The distance of each run from the end of the last one.
    pub(super) gaps: &'static [u8],
    /// The kind of each run. 0: one character. 4n+1: n consecutive characters. 4n+2: n characters,
    /// every second one. 4n+3: n characters with the same target. 4n: one character that becomes n
    /// characters.
    pub(super) kinds: &'static [u8],
    /// The ASCII characters of each run's first target. Other characters are 0 here.
    pub(super) ascii: &'static [u8],
    /// For each 0 in `ascii`, the distance of the character from the run's first character.
    pub(super) others: &'static [u8],
}

/// Packed decompositions. Each field is a column.
pub(super) struct Composed {
    /// The distance of each character from the last one.
    pub(super) gaps: &'static [u8],
    /// The distance of its base from the last one's base.
    pub(super) bases: &'static [u8],
    /// The position of its mark in the list of marks, from 1. It is 0 if there is none.
    pub(super) marks: &'static [u8],
    /// The marks.
    pub(super) list: &'static [u8],
}
