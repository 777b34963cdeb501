pub(in crate::tests) mod access_token;
mod forgery;
