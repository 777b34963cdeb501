//! Instants, durations and periods. There is no clock here: whoever needs the time is given it.

pub mod timestamp;
