//! The `[Install]` section of unit files, and unit names with instances and specifiers.

/// What `[Install]` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Install {
    pub(super) wanted_by: Vec<String>,
    pub(super) required_by: Vec<String>,
    pub(super) upheld_by: Vec<String>,
    pub(super) alias: Vec<String>,
    pub(super) also: Vec<String>,
    pub(super) default_instance: Option<String>,
}

impl Install {
    /// Adds what a file says; an empty value clears what came before.
    pub(super) fn read(&mut self, text: &str) {
        let mut is_install = false;
        for line in joined(text) {
            let line = line.trim();
            if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                is_install = section == "Install";
                continue;
            }
            let Some((key, value)) = line.split_once('=').filter(|_| is_install) else {
                continue;
            };
            let list = match key.trim() {
                "WantedBy" => &mut self.wanted_by,
                "RequiredBy" => &mut self.required_by,
                "UpheldBy" => &mut self.upheld_by,
                "Alias" => &mut self.alias,
                "Also" => &mut self.also,
                "DefaultInstance" => {
                    self.default_instance =
                        Some(value.trim().to_owned()).filter(|instance| !instance.is_empty());
                    continue;
                }
                _ => continue,
            };
            if value.trim().is_empty() {
                list.clear();
            }
            list.extend(
                value
                    .split_whitespace()
                    .map(|word| word.trim_matches('"').to_owned()),
            );
        }
    }
}

/// Lines without comments, with continued ones joined.
fn joined(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut is_continued = false;
    for line in text.lines() {
        if line.trim_start().starts_with(['#', ';']) {
            continue;
        }
        let (body, goes_on) = match line.strip_suffix('\\') {
            Some(body) => (body, true),
            None => (line, false),
        };
        match lines.last_mut().filter(|_| is_continued) {
            Some(last) => {
                last.push(' ');
                last.push_str(body);
            }
            None => lines.push(body.to_owned()),
        }
        is_continued = goes_on;
    }
    lines
}

/// `getty@tty1.service` has the template `getty@.service`.
pub(super) fn template_of(name: &str) -> Option<String> {
    let (prefix, rest) = name.split_once('@')?;
    let (instance, kind) = rest.rsplit_once('.')?;
    (!instance.is_empty()).then(|| format!("{prefix}@.{kind}"))
}

/// The name under which a unit is enabled; `None` for a template without an instance.
pub(super) fn instantiate(name: &str, instance: Option<&str>) -> Option<String> {
    match name.split_once("@.") {
        None => Some(name.to_owned()),
        Some((prefix, kind)) => instance.map(|instance| format!("{prefix}@{instance}.{kind}")),
    }
}

/// Replaces the specifiers that may stand in `[Install]`: `%n` the full name, `%N` the same without its kind, `%p` the
/// prefix, `%i` the instance, `%%`. Others stay as they are.
pub(super) fn expand(text: &str, name: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let (prefix, instance) = stem.split_once('@').unwrap_or((stem, ""));
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match characters.next() {
            Some('n') => out.push_str(name),
            Some('N') => out.push_str(stem),
            Some('p') => out.push_str(prefix),
            Some('i' | 'I') => out.push_str(instance),
            Some('%') => out.push('%'),
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_read() {
        let mut install = Install::default();
        install.read(
            "[Unit]\nWantedBy=no.target\n[Install]\n# WantedBy=c.target\nWantedBy=a.target \\\n  b.target\nAlias=x.service\n\
             Also=y.socket z.socket\nDefaultInstance=tty1\n[Service]\nAlias=no.service\n",
        );
        assert_eq!(install.wanted_by, ["a.target", "b.target"]);
        assert_eq!(install.alias, ["x.service"]);
        assert_eq!(install.also, ["y.socket", "z.socket"]);
        assert_eq!(install.default_instance.as_deref(), Some("tty1"));
        install.read("[Install]\nWantedBy=\nWantedBy=d.target\n");
        assert_eq!(install.wanted_by, ["d.target"]);
    }

    #[test]
    fn names_are_taken_apart() {
        assert_eq!(
            template_of("getty@tty1.service").as_deref(),
            Some("getty@.service")
        );
        assert_eq!(template_of("getty@.service"), None);
        assert_eq!(template_of("ssh.service"), None);
        assert_eq!(
            instantiate("getty@.service", Some("tty1")).as_deref(),
            Some("getty@tty1.service")
        );
        assert_eq!(instantiate("getty@.service", None), None);
        assert_eq!(expand("dev-%i.device", "growfs@vda.service"), "dev-vda.device");
        assert_eq!(expand("%p-%N-%n-%%-%z", "a@b.service"), "a-a@b-a@b.service-%-%z");
    }
}
