mod fingerprint;
mod import;
