//! What of a text can be seen, and which labels look the same.

mod look;
mod properties;
mod visible;

/// Characters of each kind that is invisible where it does not belong.
pub(super) const HIDDEN: [char; 31] = [
    '\u{fe00}',
    '\u{fe0e}',
    '\u{fe0f}',
    '\u{200b}',
    '\u{200c}',
    '\u{200d}',
    '\u{17b4}',
    '\u{17b5}',
    '\u{180b}',
    '\u{180e}',
    '\u{180f}',
    '\u{e0100}',
    '\u{e01ef}',
    '\u{1d173}',
    '\u{1d17a}',
    '\u{1bca0}',
    '\u{1bca3}',
    '\u{fffc}',
    '\u{338}',
    '\u{13430}',
    '\u{1343f}',
    '\u{1107f}',
    '\u{1d159}',
    '\u{3164}',
    '\u{ad}',
    '\u{e0041}',
    '\u{e007f}',
    '\u{202e}',
    '\u{fdd0}',
    '\u{2d7f}',
    '\u{16fe4}',
];

const ENGLAND: &str = "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}";
const SCOTLAND: &str = "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";

/// Every character beyond ASCII.
fn all() -> impl Iterator<Item = char> {
    '\u{80}'..=char::MAX
}
