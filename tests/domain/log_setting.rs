//! The setting `LOG`.
use waitpoint::domain::log_setting::LogSetting;
use waitpoint::domain::token::CompletedBy;
use waitpoint::domain::token::delivery::{DeliveryId, Target};
use waitpoint::domain::token::effects::LogLine;
use waitpoint::domain::token::event::TokenEvent;

#[test]
fn each_value_includes_less_than_the_one_before() {
    let failed = DeliveryId {
        event: TokenEvent::Ended,
        target: Target::Token,
    };
    let lines = [
        LogLine::Attempt(failed),
        LogLine::Completed(CompletedBy::Page),
        LogLine::Cancelled,
        LogLine::Extended,
        LogLine::Voted,
        LogLine::Reminded,
        LogLine::Created,
    ];
    for (text, count) in [("", 7), (" all\n", 7), ("decisions", 6), ("errors", 1)] {
        let setting = LogSetting::parse(text).unwrap();
        for (at, line) in lines.into_iter().enumerate() {
            assert_eq!(setting.includes(line), at < count, "{text}: {line:?}");
        }
    }
}

#[test]
fn a_value_that_is_none_of_them_is_named() {
    for bad in ["none", "off", "All", "error", "all decisions"] {
        assert_eq!(
            LogSetting::parse(bad).unwrap_err(),
            format!("LOG is \"{bad}\". Use \"all\", \"decisions\" or \"errors\".")
        );
    }
}
