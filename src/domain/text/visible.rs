//! Removes the parts of a text that cannot be seen.

use super::packed::Unicode;

/// The most combining marks on one character. Burmese needs six. More would cover the neighbouring
/// lines.
pub const MAX_MARKS: usize = 6;

/// A text as a page shows it, without characters that are invisible or change the text's direction.
///
/// These are left out: controls, `Default_Ignorable_Code_Point`, format characters without a glyph,
/// noncharacters, some blanks, marks without a letter, and more than [`MAX_MARKS`] marks on one
/// letter. Selectors and joiners are kept where they change how their neighbours look: in emoji, in
/// flags, and in scripts whose letters join. Marks that strike out a character are kept, because `≠`
/// without its mark would be `=`.
#[must_use]
pub fn strip_invisible(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let shown = |c: char| match c {
        '\t' => Some(' '),
        ' '..='~' | '\n' => Some(c),
        '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        // The blanks of Braille and of hieroglyphs.
        '\u{2800}' | '\u{13441}' | '\u{13442}' => Some(' '),
        c if c.is_control() => None,
        c if is_conditional(c) => Some(c),
        c => (!Unicode::get().invisible.has(c)).then_some(c),
    };
    let shown: String = text.chars().filter_map(shown).collect();
    if shown.is_ascii() {
        return shown;
    }
    keep_what_changes_neighbours(&limit_marks(shown.chars()))
}

/// The text of [`strip_invisible`] on one line, with single spaces.
#[must_use]
pub fn single_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for word in strip_invisible(text).split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line += word;
    }
    line
}
/// Whether the character is kept only where it changes how its neighbours look.
fn is_conditional(c: char) -> bool {
    is_joiner(c)
        || is_mongolian_selector(c)
        || matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}')
}

pub(super) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// The Mongolian vowel separator counts too: it changes the form of the vowel.
pub(super) fn is_mongolian_selector(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180f}')
}

/// Leaves out marks beyond [`MAX_MARKS`], and marks without a letter: at the start, on a space, or of
/// another script on a letter of Latin, Greek or Cyrillic. Some fonts do not show the latter.
fn limit_marks(chars: impl Iterator<Item = char>) -> Vec<char> {
    let unicode = Unicode::get();
    let mut base = ' ';
    let mut marks = 0;
    let keep = |&c: &char| {
        if is_conditional(c) {
            return true;
        }
        if !unicode.marks.has(c) {
            (base, marks) = (c, 0);
            return true;
        }
        let is_european = matches!(base, ..'\u{530}' | '\u{1e00}'..='\u{1fff}');
        marks += 1;
        !base.is_whitespace() && (!is_european || is_accent(c)) && marks <= MAX_MARKS
    };
    chars.filter(keep).collect()
}

/// Whether a mark belongs to no script, or to Cyrillic.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{2de0}'..='\u{2dff}' | '\u{a66f}'..='\u{a69f}'
        | '\u{fe20}'..='\u{fe2f}')
}

/// Leaves out joiners, selectors and tags that change nothing.
fn keep_what_changes_neighbours(chars: &[char]) -> String {
    let is_pictograph = |c| Unicode::get().pictographs.has(c);
    let mut kept = String::with_capacity(chars.len());
    let mut last = '\0';
    let mut rest = chars;
    let mut ahead = chars;
    while let Some((&c, behind)) = rest.split_first() {
        // The next character that is always kept. `ahead` only moves forward, so that a long run of
        // joiners takes linear time.
        let mut next = || {
            if ahead.len() > behind.len() {
                ahead = behind;
            }
            while let Some((c, further)) = ahead.split_first()
                && is_conditional(*c)
            {
                ahead = further;
            }
            ahead.first().copied()
        };
        let keep = match c {
            // With other tags a black flag looks like a black flag, so the tags could hide a text.
            '\u{e0020}'..='\u{e007f}' => {
                if let Some(flag) = FLAGS
                    .iter()
                    .find(|flag| last == BLACK_FLAG && begins(rest, flag))
                {
                    kept.extend(tags(flag));
                    last = '\u{e007f}';
                }
                false
            }
            '\u{200d}'
                if is_pictograph(last)
                    || matches!(last, '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}') =>
            {
                next().is_some_and(is_pictograph)
            }
            // This includes the end of a word. There a joiner gives an Arabic letter the form that it
            // has before another letter.
            '\u{200d}' => joins(last),
            '\u{200c}' => joins(last) && next().is_some_and(joins),
            '\u{fe0e}' | '\u{fe0f}' if matches!(last, '0'..='9' | '#' | '*') => {
                next() == Some(KEYCAP)
            }
            '\u{fe0e}' | '\u{fe0f}' => is_pictograph(last),
            c if is_mongolian_selector(c) => matches!(last, '\u{1820}'..='\u{18aa}'),
            _ => true,
        };
        if keep {
            kept.push(c);
            last = c;
        }
        rest = behind;
    }
    kept
}

const BLACK_FLAG: char = '\u{1f3f4}';
const KEYCAP: char = '\u{20e3}';
/// England, Scotland and Wales, the only flags of this kind in general use.
const FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

/// The tags after the black flag that turn it into another flag.
fn tags(flag: &str) -> impl Iterator<Item = char> + '_ {
    let tag = |letter: u8| char::from_u32(0xe_0000 + u32::from(letter));
    flag.bytes().filter_map(tag).chain(['\u{e007f}'])
}

fn begins(chars: &[char], flag: &str) -> bool {
    chars.iter().copied().take(flag.len() + 1).eq(tags(flag))
}

/// Whether the character is in a block of a script whose letters change their form beside each other:
/// from Arabic to Malayalam, Tibetan, Burmese, Khmer, Mongolian, and related ones.
fn joins(c: char) -> bool {
    matches!(c,
        '\u{600}'..='\u{dff}' | '\u{f00}'..='\u{109f}' | '\u{1780}'..='\u{18af}'
        | '\u{1900}'..='\u{1cff}'
        | '\u{a800}'..='\u{abff}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
        | '\u{10a00}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}')
}
