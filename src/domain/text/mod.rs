//! What a text shows: which of its characters a person can see, and which labels look the same to
//! them.
//!
//! A page may hold what others wrote than whoever created the token: a summary by a language model,
//! a commit message. Invariants: what [`strip_invisible`] leaves can be seen, or changes how its
//! neighbours look; two labels of one page never look the same ([`Look`]), and so never are the
//! same word ([`is_same_word`]).
//!
//! Every function is total and takes time in proportion to the text.

mod columns;
mod packed;
#[rustfmt::skip]
mod tables;

use packed::Unicode;

/// Most combining marks on one character. Burmese needs six; what has more is a pile that covers
/// its neighbours.
pub const MAX_MARKS: usize = 6;

/// A text as a page shows it: without what shows nothing or turns the direction of what follows.
///
/// By Unicode property: controls, `Default_Ignorable_Code_Point`, format characters that have no
/// glyph, noncharacters, and some blanks. Kept are the selectors and joiners that change how their
/// neighbours look: those of emoji, of flags, and of scripts whose letters join. Marks that belong
/// to no letter, and more than [`MAX_MARKS`] on one, are left out. Marks that strike something out
/// stay: without them `≠` would be `=`.
#[must_use]
pub fn strip_invisible(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let shown = |c: char| match c {
        '\t' => Some(' '),
        ' '..='~' | '\n' => Some(c),
        '\u{85}' | '\u{2028}' | '\u{2029}' => Some('\n'),
        // The blank of Braille, and of hieroglyphs.
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

/// The same on one line, with single spaces.
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

/// Whether a person who types one word means the other: in any case of ASCII's letters, with
/// accents composed or not, with or without what cannot be seen. Other letters must be typed in
/// their case.
#[must_use]
pub fn is_same_word(typed: &str, label: &str) -> bool {
    let word = |text: &str| {
        let mut word = decomposed(text);
        word.iter_mut().for_each(char::make_ascii_lowercase);
        sort_marks(&mut word);
        word
    };
    word(typed) == word(label)
}

/// What a label looks like, to be compared with others.
///
/// Close to the skeletons of UTS 39: joiners and selectors do not count, nor do strokes through
/// letters, nor whether an accent is composed; a letter is the one of ASCII, or of its neighbour
/// alphabets, that it resembles. Not compared are the scripts of South and Southeast Asia with each
/// other, and ideographs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// `I` like `l`.
    exact: Vec<char>,
    /// `I` like `i`.
    small: Vec<char>,
}

impl Look {
    /// Of a label.
    #[must_use]
    pub fn of(label: &str) -> Self {
        let mut chars = decomposed(label);
        one_flag_each(&mut chars);
        if mixes_directions(&chars) {
            // Where its parts stand depends on which comes first, so their order tells nothing.
            chars.retain(|c| !c.is_whitespace());
            insertion_sort(&mut chars, |_| true);
        }
        Self {
            exact: skeleton(&chars, Case::Exact),
            small: skeleton(&chars, Case::Small),
        }
    }

    /// Whether a person may take one for the other, whatever their case.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        is_like(&self.exact, &other.exact) || is_like(&self.small, &other.small)
    }
}

/// Whether two labels look the same, or differ in their case alone.
#[must_use]
pub fn looks_alike(a: &str, b: &str) -> bool {
    Look::of(a).is_like(&Look::of(b))
}

/// What is kept where it changes how its neighbours look, and only there.
fn is_conditional(c: char) -> bool {
    is_joiner(c)
        || is_mongolian_selector(c)
        || matches!(c, '\u{fe0e}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}')
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Also the separator of a Mongolian vowel, which gives it another form.
fn is_mongolian_selector(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180f}')
}

/// Without marks that belong to no letter: on nothing, on a space, or one of another script on a
/// letter of Latin, Greek or Cyrillic. Fonts show some of those as nothing. And without piles.
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

/// Marks of no script of their own, and those of Cyrillic.
fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{2de0}'..='\u{2dff}' | '\u{a66f}'..='\u{a69f}'
        | '\u{fe20}'..='\u{fe2f}')
}

/// Without the joiners, selectors and tags that change nothing.
fn keep_what_changes_neighbours(chars: &[char]) -> String {
    let is_pictograph = |c| Unicode::get().pictographs.has(c);
    let mut kept = String::with_capacity(chars.len());
    let mut last = '\0';
    let mut rest = chars;
    let mut ahead = chars;
    while let Some((&c, behind)) = rest.split_first() {
        // What stands behind those that may go. Each character is passed over once, however many
        // joiners ask for what follows them.
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
            // A black flag with other tags is a black flag, and tags can hide a text.
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
            // At a word's end too: an Arabic letter takes the form there that it has before
            // another.
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
/// England, Scotland, Wales: all that are in general use, in the letters of their tags.
const FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

/// What follows the black flag to make it another.
fn tags(flag: &str) -> impl Iterator<Item = char> + '_ {
    let tag = |letter: u8| char::from_u32(0xe_0000 + u32::from(letter));
    flag.bytes().filter_map(tag).chain(['\u{e007f}'])
}

fn begins(chars: &[char], flag: &str) -> bool {
    chars.iter().copied().take(flag.len() + 1).eq(tags(flag))
}

/// The blocks of scripts whose letters take other forms beside each other: from Arabic to
/// Malayalam, Tibetan and Burmese, Khmer and Mongolian, and those of their families.
fn joins(c: char) -> bool {
    matches!(c,
        '\u{600}'..='\u{dff}' | '\u{f00}'..='\u{109f}' | '\u{1780}'..='\u{18af}'
        | '\u{1900}'..='\u{1cff}'
        | '\u{a800}'..='\u{abff}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}'
        | '\u{10a00}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}')
}

/// The characters of a label, each composed one as its parts, without joiners and selectors.
fn decomposed(label: &str) -> Vec<char> {
    let mut parts = Vec::with_capacity(label.len());
    for c in single_line(label).chars() {
        match c {
            '\u{fe0e}' | '\u{fe0f}' => {}
            c if is_joiner(c) || is_mongolian_selector(c) => {}
            c => push_parts(c, &mut parts),
        }
    }
    parts
}

fn push_parts(c: char, parts: &mut Vec<char>) {
    let syllable = u32::from(c).wrapping_sub(0xac00);
    match c {
        _ if c.is_ascii() => parts.push(c),
        // Hangul: 19 first consonants, 21 vowels, and 27 last consonants or none.
        '\u{ac00}'..='\u{d7a3}' => {
            let last = Some(syllable % 28).filter(|&last| last > 0);
            let jamo = [
                Some(0x1100 + syllable / 588),
                Some(0x1161 + syllable % 588 / 28),
                last.map(|last| 0x11a7 + last),
            ];
            parts.extend(jamo.into_iter().flatten().filter_map(char::from_u32));
        }
        _ => match Unicode::get().decompose(c) {
            Some((base, mark)) => {
                push_parts(base, parts);
                if let Some(mark) = mark {
                    push_parts(mark, parts);
                }
            }
            None => parts.push(c),
        },
    }
}

/// Whether it holds letters that are written from the left and others that are from the right.
fn mixes_directions(chars: &[char]) -> bool {
    let is_from_right = |c: char| {
        matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
            || matches!(c, '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
    };
    let is_from_left = |c: char| c.is_ascii_alphabetic() || (c > '\u{bf}' && !is_from_right(c));
    chars.iter().any(|&c| is_from_right(c)) && chars.iter().any(|&c| is_from_left(c))
}

/// Regions whose flag is another's, or hard to tell from it: each with that other.
const SAME_FLAGS: [(&str, &str); 11] = [
    ("BV", "NO"),
    ("SJ", "NO"),
    ("CP", "FR"),
    ("BL", "FR"),
    ("MF", "FR"),
    ("UM", "US"),
    ("HM", "AU"),
    ("EA", "ES"),
    ("DG", "IO"),
    ("TD", "RO"),
    ("ID", "MC"),
];

fn one_flag_each(chars: &mut [char]) {
    let letter = |c: char| u32::from(c).checked_sub(0x1_f1e6 - u32::from(b'A'));
    let indicator = |letter: u8| char::from_u32(0x1_f1e6 - u32::from(b'A') + u32::from(letter));
    let mut rest = chars;
    while let [first, second, ..] = rest {
        let is_flag = |of: &str| {
            let letters = of.bytes().map(|byte| Some(u32::from(byte)));
            [letter(*first), letter(*second)].into_iter().eq(letters)
        };
        let same = SAME_FLAGS.iter().find(|(region, _)| is_flag(region));
        if let Some([a, b]) = same.map(|(_, other)| other.as_bytes()) {
            *first = indicator(*a).unwrap_or(*first);
            *second = indicator(*b).unwrap_or(*second);
        }
        let is_pair = matches!(*first, '\u{1f1e6}'..='\u{1f1ff}');
        rest = rest
            .get_mut(if is_pair { 2 } else { 1 }..)
            .unwrap_or_default();
    }
}

/// The order in which marks were written does not count.
fn sort_marks(chars: &mut [char]) {
    let is_mark = |c: char| !c.is_ascii() && Unicode::get().marks.has(c);
    // They are few behind each letter (`MAX_MARKS`).
    insertion_sort(chars, is_mark);
}

/// Sorts each run of these. The standard library's sort is large, and labels are short: each moves ahead of
/// greater ones.
fn insertion_sort(chars: &mut [char], is_of_run: impl Fn(char) -> bool) {
    for end in 1..chars.len() {
        let pairs = (0..end).rev().map(|place| (place, place + 1));
        for (before, after) in pairs {
            match (chars.get(before), chars.get(after)) {
                (Some(&a), Some(&b)) if a > b && is_of_run(a) && is_of_run(b) => {
                    chars.swap(before, after)
                }
                _ => break,
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Case {
    Exact,
    Small,
}

/// What characters look like, so that what looks the same is the same.
fn skeleton(chars: &[char], case: Case) -> Vec<char> {
    let cased = |c: char| match case {
        Case::Exact => c,
        Case::Small if c.is_ascii() => c.to_ascii_lowercase(),
        Case::Small => Unicode::get().to_lower(c),
    };
    let mut skeleton = Vec::with_capacity(chars.len());
    let mut last = '\0';
    for &c in chars {
        let is_struck =
            |last| matches!(last, '<'..='>' | '\u{2190}'..='\u{22ff}' | '\u{2a00}'..='\u{2aff}');
        // Of what a stroke makes another sign, and not the same one struck out.
        let is_part = c == '\u{338}' && is_struck(last);
        if !is_part && is_slight(c) {
            continue;
        }
        last = c;
        let c = match cased(c) {
            // Strokes, and letters of Katakana that Hiragana has too.
            '\u{30fc}' | '\u{2014}' | '\u{2015}' | '\u{1173}' | '\u{3161}' => '\u{4e00}',
            '\u{30ea}' => '\u{308a}',
            '\u{30d8}' => '\u{3078}',
            c => c,
        };
        let looks = if c.is_ascii() {
            None
        } else {
            Unicode::get().looks.get(c)
        };
        match looks {
            Some(looks) => looks.for_each(|c| push_look(cased(c), case, &mut skeleton)),
            None => push_look(c, case, &mut skeleton),
        }
    }
    sort_marks(&mut skeleton);
    skeleton
}

/// As confusables.txt has it for ASCII.
fn push_look(c: char, case: Case, skeleton: &mut Vec<char>) {
    match c {
        '1' | '|' => skeleton.push('l'),
        // Small, `I` is `i`.
        'I' => skeleton.push('l'),
        '0' if case == Case::Exact => skeleton.push('O'),
        '0' => skeleton.push('o'),
        'm' => skeleton.extend(['r', 'n']),
        '`' => skeleton.push('\''),
        '"' => skeleton.extend(['\'', '\'']),
        // Private use, and planes where nothing is assigned: fonts have one box for all.
        '\u{e000}'..='\u{f8ff}' | '\u{40000}'..='\u{dffff}' | '\u{f0000}'.. => {
            skeleton.push(char::REPLACEMENT_CHARACTER);
        }
        c => skeleton.push(c),
    }
}

/// What many fonts hardly show: strokes through a letter and frames around it, which may lie on a
/// stroke that the letter has; signs that are written around a number; joiners that stack the
/// consonants of some scripts.
fn is_slight(c: char) -> bool {
    matches!(c,
        '\u{334}'..='\u{338}' | '\u{488}' | '\u{489}' | '\u{1abe}' | '\u{20d2}' | '\u{20d3}'
        | '\u{20d8}'..='\u{20da}' | '\u{20dd}'..='\u{20e0}' | '\u{20e2}'..='\u{20e6}'
        | '\u{20ea}' | '\u{20eb}'
        | '\u{a670}'..='\u{a672}'
        | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
        | '\u{110bd}' | '\u{110cd}'
        | '\u{1039}' | '\u{17d2}' | '\u{1a60}' | '\u{1bab}' | '\u{2d7f}' | '\u{aaf6}'
        | '\u{10a3f}' | '\u{11133}'
        | '\u{113d0}' | '\u{1193e}' | '\u{11a47}' | '\u{11a99}' | '\u{11d45}' | '\u{11d97}'
        | '\u{11f42}')
}

/// Whether these are the same. Compatibility ideographs and radicals are like any ideograph: nobody
/// types them, and a table of which is which would take 2 kB more.
fn is_like(a: &[char], b: &[char]) -> bool {
    let is_copy = |c| {
        matches!(c, '\u{2e80}'..='\u{2fdf}' | '\u{f900}'..='\u{faff}')
            || matches!(c, '\u{2f800}'..='\u{2fa1f}')
    };
    let is_ideograph =
        |c| is_copy(c) || matches!(c, '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}');
    let same = |(&a, &b): (&char, &char)| {
        a == b || (is_copy(a) && is_ideograph(b)) || (is_ideograph(a) && is_copy(b))
    };
    a.len() == b.len() && a.iter().zip(b).all(same)
}
