//! Users and groups: `adduser`, `addgroup` (adduser(8)), `useradd`, `groupadd` (shadow).

use super::ast::Node;
use super::evaluate::{Interpreter, Status};
use super::expand::Field;
use super::{Action, Reason, Verdict};
use crate::declarations::{Group, Member, User};

/// What the options of one call say.
#[derive(Debug, Default)]
struct Options {
    system: bool,
    group: bool,
    names: Vec<String>,
    home: Option<String>,
    shell: Option<String>,
    comment: Option<String>,
    ingroup: Option<String>,
    supplementary: Vec<String>,
    id: Option<u32>,
    gid: Option<u32>,
    quiet_only: bool,
}

impl<'s> Interpreter<'s> {
    pub(super) fn account(&mut self, node: &'s Node, program: &str, arguments: &[Field]) -> Status {
        let words: Option<Vec<&str>> = arguments.iter().map(Field::known).collect();
        let actions = words.and_then(|words| actions(program, &words));
        match actions {
            None => self.note(node, Verdict::Unknown),
            Some(actions) if actions.is_empty() => self.note(node, Verdict::Irrelevant(Reason::NothingThere)),
            Some(actions) => {
                for action in actions {
                    match &action {
                        Action::User(User { name, .. }) | Action::Group(Group { name, .. }) => {
                            self.state.accounts.insert(name.clone());
                        }
                        _ => {}
                    }
                    self.note(node, Verdict::Understood(action));
                }
            }
        }
        Status::Yes
    }
}

fn actions(program: &str, words: &[&str]) -> Option<Vec<Action>> {
    let options = options(program, words)?;
    match program {
        "addgroup" | "groupadd" => group(&options).map(|action| vec![action]),
        "adduser" if options.group && !options.system => group(&options).map(|action| vec![action]),
        "adduser" => adduser(&options),
        "useradd" => useradd(&options),
        // `usermod -a -G group user`
        "usermod" if options.names.len() == 1 && !options.supplementary.is_empty() && options.quiet_only => {
            Some(
                options
                    .supplementary
                    .iter()
                    .map(|group| {
                        Action::Member(Member {
                            user: options.names[0].clone(),
                            group: group.clone(),
                        })
                    })
                    .collect(),
            )
        }
        _ => None,
    }
}

fn options(program: &str, words: &[&str]) -> Option<Options> {
    let mut options = Options {
        quiet_only: true,
        ..Options::default()
    };
    let shadow = matches!(program, "useradd" | "groupadd" | "usermod" | "groupmod");
    let mut rest = words.iter().copied();
    while let Some(word) = rest.next() {
        let (name, mut value) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (word, None),
        };
        let mut take = || value.take().or_else(|| rest.next()).map(str::to_owned);
        match name {
            "--system" | "-r" => options.system = true,
            "--group" if !shadow => options.group = true,
            "--home" | "--home-dir" => options.home = Some(take()?),
            "-d" if shadow => options.home = Some(take()?),
            "--shell" | "-s" => options.shell = Some(take()?),
            "--gecos" | "--comment" => options.comment = Some(take()?),
            "-c" if shadow => options.comment = Some(take()?),
            "--ingroup" => options.ingroup = Some(take()?),
            "--gid" | "-g" => match take()?.parse::<u32>() {
                Ok(gid) => options.gid = Some(gid),
                Err(_) => {
                    options.ingroup = words
                        .iter()
                        .copied()
                        .skip_while(|w| *w != name)
                        .nth(1)
                        .map(str::to_owned)
                }
            },
            "--groups" | "-G" if shadow => {
                options.supplementary = take()?.split(',').map(str::to_owned).collect()
            }
            "--uid" | "-u" => options.id = Some(take()?.parse().ok()?),
            "-U" | "--user-group" => options.group = true,
            "--quiet"
            | "--no-create-home"
            | "--disabled-login"
            | "--disabled-password"
            | "--force-badname"
            | "--allow-bad-names"
            | "--allow-all-names"
            | "-M"
            | "-N"
            | "--no-user-group"
            | "-f"
            | "--force"
            | "-a"
            | "--append"
            | "--no-log-init"
            | "-l"
            | "-q"
            | "--badname" => {}
            "--password" | "-p" => {
                take()?;
            }
            option if option.starts_with('-') => return None,
            name => options.names.push(name.to_owned()),
        }
    }
    Some(options)
}

fn group(options: &Options) -> Option<Action> {
    match options.names.as_slice() {
        [name] => Some(Action::Group(Group {
            name: name.clone(),
            gid: options.gid,
        })),
        _ => None,
    }
}

fn adduser(options: &Options) -> Option<Vec<Action>> {
    match options.names.as_slice() {
        [user, group] => Some(vec![Action::Member(Member {
            user: user.clone(),
            group: group.clone(),
        })]),
        [name] if options.system => {
            // Without `--group` or `--ingroup`, adduser takes `nogroup`.
            let group = match (&options.ingroup, options.group) {
                (Some(group), _) => Some(group.clone()),
                (None, true) => None,
                (None, false) => Some("nogroup".to_owned()),
            };
            Some(vec![Action::User(User {
                name: name.clone(),
                uid: options.id,
                group,
                home: Some(options.home.clone().unwrap_or_else(|| "/nonexistent".to_owned())),
                shell: options.shell.as_deref().map(merged),
                comment: options.comment.clone(),
            })])
        }
        // A person's account is not a package's to make.
        _ => None,
    }
}

fn useradd(options: &Options) -> Option<Vec<Action>> {
    let [name] = options.names.as_slice() else {
        return None;
    };
    if !options.system {
        return None;
    }
    let user = User {
        name: name.clone(),
        uid: options.id,
        group: options.ingroup.clone().filter(|group| group != name),
        home: options.home.clone(),
        shell: options.shell.as_deref().map(merged),
        comment: options.comment.clone(),
    };
    let members = options.supplementary.iter().map(|group| {
        Action::Member(Member {
            user: name.clone(),
            group: group.clone(),
        })
    });
    Some([Action::User(user)].into_iter().chain(members).collect())
}

fn merged(path: &str) -> String {
    crate::paths::merged_path(path).unwrap_or_else(|| path.to_owned())
}
