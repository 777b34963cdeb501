//! The texts of the page and of notices in each language. A language is a file and a line in [`ALL`].

mod ar;
mod de;
mod en;
mod es;
mod fr;
mod inbox;
mod ja;
mod pt;
mod zh;

pub use inbox::InboxWords;

use crate::domain::time::timestamp::Timestamp;

/// The sentences of one language.
#[allow(missing_docs, reason = "en.rs has the text of each")]
pub struct Words {
    /// The language's BCP 47 tag, which `?lang=` also takes.
    pub lang: &'static str,
    /// `ltr` or `rtl`.
    pub dir: &'static str,

    pub question: &'static str,
    pub asked_by: &'static str,
    pub decide_by: &'static str,
    pub safe: &'static str,
    pub approve: &'static str,
    pub reject: &'static str,
    pub send: &'static str,
    pub choose: &'static str,
    pub type_one: &'static str,
    pub comment: &'static str,
    pub optional: &'static str,
    pub offline: &'static str,
    pub decided_elsewhere: &'static str,
    pub show: &'static str,

    pub stale: &'static str,
    pub choose_one: &'static str,
    pub type_exactly: &'static str,
    pub comment_missing: &'static str,
    pub comment_long: &'static str,

    pub correct_these: &'static str,
    pub fill_in: &'static str,
    pub utc_hint: &'static str,
    pub yes: &'static str,
    pub no: &'static str,
    /// `{n}` stands for the bound here and in the next ones that have one.
    pub too_short: &'static str,
    pub too_long: &'static str,
    pub not_number: &'static str,
    pub not_integer: &'static str,
    pub too_small: &'static str,
    pub too_large_number: &'static str,
    pub not_email: &'static str,
    pub not_uri: &'static str,
    pub not_date: &'static str,
    pub not_date_time: &'static str,
    pub too_few: &'static str,
    pub too_many: &'static str,
    pub not_valid: &'static str,
    pub shorten: &'static str,

    pub decided: &'static str,
    pub nothing_to_do: &'static str,
    pub not_taken: &'static str,
    pub same: &'static str,
    pub comment_not_sent: &'static str,
    pub timed_out: &'static str,
    pub nobody_decided: &'static str,
    pub too_late: &'static str,
    pub decision: &'static str,
    pub decided_by: &'static str,
    pub decided_at: &'static str,
    pub timed_out_at: &'static str,
    pub by_page: &'static str,
    pub by_api: &'static str,
    pub by_callback: &'static str,
    pub by_inbox: &'static str,

    pub voting_as: &'static str,
    pub own_link: &'static str,
    /// `{n}` stands for the votes so far, `{m}` for the approvers, `{k}` for the votes that are needed.
    pub votes_so_far: &'static str,
    pub you_voted: &'static str,
    pub change_vote: &'static str,
    /// Stands before the labels of choices.
    pub vetoes: &'static str,
    pub approvers_decide: &'static str,

    pub waits: &'static str,
    pub shown_only: &'static str,
    pub expired: &'static str,
    pub request_new_link: &'static str,
    pub unknown: &'static str,
    pub link_truncated: &'static str,
    pub wait: &'static str,
    pub busy: &'static str,
    pub trouble: &'static str,
    pub try_again: &'static str,
    pub cross_site_title: &'static str,
    pub cross_site_help: &'static str,
    pub too_large: &'static str,

    pub reminder: &'static str,
    /// Stands before the title, in one line with it.
    pub reminder_of: &'static str,
    pub open_request: &'static str,
    pub link_help: &'static str,
    pub link_safe: &'static str,
    pub forward: &'static str,
    /// A time in UTC. `{d}`, `{m}`, `{y}` and `{t}` stand for the day, the month's name, the year and the
    /// time of day.
    pub date_time: &'static str,
    pub months: [&'static str; 12],

    pub withdrawn: &'static str,
    pub request_withdrawn: &'static str,
    pub withdrawn_not_recorded: &'static str,
    pub reason: &'static str,
    pub withdrawn_at: &'static str,
    pub by_timeout: &'static str,
    pub deadline_passed: &'static str,
    pub show_details: &'static str,

    pub inbox: InboxWords,
}

impl Words {
    /// A time in UTC, for texts that cannot know the reader's time zone.
    #[must_use]
    pub fn utc(&self, at: Timestamp) -> String {
        let iso = at.to_string();
        let part = |range| iso.get(range).unwrap_or_default();
        let month = part(5..7).parse::<usize>().unwrap_or_default();
        let month = self.months.get(month.wrapping_sub(1));
        let text = self
            .date_time
            .replace("{d}", part(8..10).trim_start_matches('0'));
        let text = text.replace("{m}", month.copied().unwrap_or_default());
        text.replace("{y}", part(0..4)).replace("{t}", part(11..16))
    }
}

/// All languages. The first is the default.
pub static ALL: [&Words; 8] = [
    &en::WORDS,
    &de::WORDS,
    &fr::WORDS,
    &es::WORDS,
    &pt::WORDS,
    &ja::WORDS,
    &zh::WORDS,
    &ar::WORDS,
];

/// The language that `?lang=` names, or the one that `Accept-Language` prefers.
#[must_use]
pub fn choose(asked: &str, accept_language: &str) -> &'static Words {
    let named = |tag: &str| {
        let primary = tag.split(['-', '_']).next().unwrap_or("").trim();
        ALL.iter()
            .find(|words| words.lang.eq_ignore_ascii_case(primary))
            .copied()
    };
    let mut best: Option<(&Words, u32)> = None;
    for range in accept_language.split(',').take(20) {
        let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
        let quality = parameters
            .trim()
            .strip_prefix("q=")
            .map_or(1000, thousandths);
        if quality > best.map_or(0, |(_, quality)| quality)
            && let Some(words) = named(tag)
        {
            best = Some((words, quality));
        }
    }
    named(asked)
        .or(best.map(|(words, _)| words))
        .unwrap_or(&en::WORDS)
}

/// Reads `0.8` as 800. Parsing floats would add tables to the upload.
fn thousandths(quality: &str) -> u32 {
    let (whole, fraction) = quality
        .trim()
        .split_once('.')
        .unwrap_or((quality.trim(), ""));
    let digits = format!("{whole}{fraction:0<3}");
    digits
        .get(..whole.len() + 3)
        .and_then(|digits| digits.parse().ok())
        .unwrap_or(0)
}
