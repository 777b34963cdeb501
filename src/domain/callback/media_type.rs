//! The `Content-Type` of a callback (RFC 9110 8.3).

/// A media type and the parameters that are read of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaType {
    /// Type and subtype in lower case, or `""` if there is no content type.
    essence: String,
    charset: Option<String>,
    boundary: Option<String>,
}

impl MediaType {
    /// Reads a `Content-Type` header. Parameters that cannot be read are ignored.
    #[must_use]
    pub fn parse(content_type: &str) -> Self {
        let essence = content_type.split(';').next().unwrap_or("");
        let mut media = Self {
            essence: essence.trim().to_ascii_lowercase(),
            ..Self::default()
        };
        for (name, value) in parameters(content_type) {
            // The first of a name counts, as in the platform.
            let place = match name.as_str() {
                "charset" => Some(&mut media.charset),
                "boundary" => Some(&mut media.boundary),
                _ => None,
            };
            if let Some(place @ None) = place {
                *place = Some(value);
            }
        }
        media
    }

    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    #[must_use]
    pub fn charset(&self) -> Option<&str> {
        self.charset
            .as_deref()
            .filter(|charset| !charset.is_empty())
    }

    #[must_use]
    pub fn boundary(&self) -> Option<&str> {
        self.boundary.as_deref()
    }

    #[must_use]
    pub fn is_json(&self) -> bool {
        self.essence == "application/json"
            || self.essence == "text/json"
            || self.essence.ends_with("+json")
    }

    #[must_use]
    pub fn is_xml(&self) -> bool {
        self.essence == "application/xml"
            || self.essence == "text/xml"
            || self.essence.ends_with("+xml")
    }

    #[must_use]
    pub fn is_urlencoded(&self) -> bool {
        self.essence == "application/x-www-form-urlencoded"
    }

    #[must_use]
    pub fn is_multipart(&self) -> bool {
        self.essence == "multipart/form-data"
    }

    /// Whether a form of HTML can send it. Web pages send these to other sites without asking.
    #[must_use]
    pub fn is_sent_by_forms(&self) -> bool {
        self.is_urlencoded() || self.is_multipart() || self.essence == "text/plain"
    }
}

/// The parameters of a header: what follows its first `;`, names in lower case.
pub(super) fn parameters(header: &str) -> impl Iterator<Item = (String, String)> {
    let mut rest = header.split_once(';').map_or("", |(_, rest)| rest);
    std::iter::from_fn(move || {
        let (name, value, after) = parameter(rest)?;
        rest = after;
        Some((name, value))
    })
}

/// The next `name=value`, and what follows it. The value may be quoted (RFC 9110 5.6.6).
fn parameter(text: &str) -> Option<(String, String, &str)> {
    let (name, rest) = text.split_once('=')?;
    let name = name.rsplit(';').next().unwrap_or(name);
    let name = name.trim().to_ascii_lowercase();
    let Some(quoted) = rest.trim_start().strip_prefix('"') else {
        let (value, after) = rest.split_once(';').unwrap_or((rest, ""));
        return Some((name, value.trim().to_owned(), after));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((name, value, quoted.get(at + 1..).unwrap_or(""))),
            // Nothing else needs it, and old browsers send paths with plain backslashes.
            '\\' if quoted
                .get(at + 1..)
                .is_some_and(|rest| rest.starts_with(['"', '\\'])) =>
            {
                value.extend(letters.next().map(|(_, escaped)| escaped));
            }
            _ => value.push(letter),
        }
    }
    // The quotes are not closed.
    Some((name, value, ""))
}
