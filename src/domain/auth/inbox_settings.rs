//! The settings of the inbox: `INBOX`, `ACCESS_TEAM_DOMAIN` and `ACCESS_AUD`.
//!
//! Invariant: one audience of Cloudflare Access belongs to one environment.

use crate::domain::environment_lines as entry;
use crate::domain::webhook::url::{has_host_and_port, is_loopback_origin};

/// Who signs in to the inbox.
#[derive(Debug, PartialEq, Eq)]
pub enum SignInBy {
    /// Those who have a secret key.
    SecretKey,
    /// Those whom Cloudflare Access admits.
    Access(AccessSettings),
}

/// The Cloudflare Access that protects the inbox.
#[derive(Debug, PartialEq, Eq)]
pub struct AccessSettings {
    /// The origin of the team, `https://<team>.cloudflareaccess.com`, which is the `iss` of its assertions.
    pub issuer: String,
    /// Environments and audiences.
    audiences: Vec<(String, String)>,
}

impl SignInBy {
    /// Reads the three settings; `None` if there is no inbox.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(inbox: &str, team_domain: &str, audiences: &str) -> Result<Option<Self>, String> {
        match inbox.trim() {
            "" | "off" => return Ok(None),
            "on" => {}
            other => return Err(format!("INBOX is {other:?}. Use \"on\" or \"off\".")),
        }
        let given = team_domain.trim();
        let team = given.trim_end_matches('/');
        if team.is_empty() && audiences.trim().is_empty() {
            return Ok(Some(Self::SecretKey));
        }
        if team.is_empty() || audiences.trim().is_empty() {
            let why = "ACCESS_TEAM_DOMAIN and ACCESS_AUD go together. Set both, or neither.";
            return Err(why.to_owned());
        }
        let issuer = match team.split_once("://") {
            Some(_) => team.to_owned(),
            None => format!("https://{team}"),
        };
        let is_origin = |rest: &str| has_host_and_port(rest) && !rest.contains('/');
        let is_secure = issuer.strip_prefix("https://").is_some_and(is_origin);
        if !is_secure && !is_loopback_origin(&issuer) {
            return Err(format!(
                "ACCESS_TEAM_DOMAIN is {given:?}. Use the domain of the team, such as \
                 example.cloudflareaccess.com."
            ));
        }
        let mut settings = AccessSettings {
            issuer,
            audiences: Vec::new(),
        };
        for (number, line) in entry::lines(audiences) {
            let (environment, audience) = entry::split(line).ok_or_else(|| {
                format!(
                    "line {number} of ACCESS_AUD is not a valid entry. Use [environment=]tag, with the \
                     Application Audience tag of an Access application."
                )
            })?;
            if settings.audiences.iter().any(|(_, one)| one == audience) {
                return Err(format!(
                    "the tag in line {number} of ACCESS_AUD stands in another line too. Use an Access \
                     application for each environment."
                ));
            }
            let pair = (environment.to_owned(), audience.to_owned());
            settings.audiences.push(pair);
        }
        Ok(Some(Self::Access(settings)))
    }
}

impl AccessSettings {
    /// The environment of the first of these audiences that has one.
    pub(super) fn environment_of(&self, audiences: &[String]) -> Option<&str> {
        let known = |audience: &String| self.audiences.iter().find(|(_, one)| one == audience);
        let (environment, _) = audiences.iter().find_map(known)?;
        Some(environment)
    }

    /// The environments that have an audience.
    pub fn environments(&self) -> impl Iterator<Item = &str> {
        self.audiences
            .iter()
            .map(|(environment, _)| environment.as_str())
    }

    /// Where the keys of the team are.
    #[must_use]
    pub fn certificates_url(&self) -> String {
        format!("{}/cdn-cgi/access/certs", self.issuer)
    }
}
