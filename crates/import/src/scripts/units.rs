//! `systemctl` and `deb-systemd-helper`: which units a package wants enabled.

use super::ast::Node;
use super::evaluate::{Interpreter, Status};
use super::expand::Field;
use super::{Action, Reason, UnitScope, Verdict};

impl<'s> Interpreter<'s> {
    pub(super) fn unit(&mut self, node: &'s Node, program: &str, arguments: &[Field]) -> Status {
        let helper = program == "deb-systemd-helper";
        let mut scope = UnitScope::System;
        let mut words = Vec::new();
        for field in arguments {
            match field.known() {
                Some("--user" | "--global") => scope = UnitScope::User,
                Some(option) if option.starts_with('-') => {}
                Some(word) => words.push(word.to_owned()),
                None => words.push(String::new()),
            }
        }
        let (verb, units) = match words.split_first() {
            Some((verb, units)) => (verb.as_str(), units),
            None => ("", [].as_slice()),
        };
        let irrelevant = |this: &mut Self, reason| this.note(node, Verdict::Irrelevant(reason));
        match verb {
            "enable" | "reenable" | "preset" => {
                for unit in units {
                    let verdict = if unit.is_empty() {
                        Verdict::Unknown
                    } else {
                        Verdict::Understood(Action::EnableUnit {
                            unit: unit.clone(),
                            scope,
                        })
                    };
                    self.note(node, verdict);
                }
                Status::Yes
            }
            // On a new system nobody has disabled the unit, and no earlier version has installed it.
            "was-enabled" if helper => {
                irrelevant(self, Reason::NoEffect);
                Status::Yes
            }
            "debian-installed" if helper => {
                irrelevant(self, Reason::NoEffect);
                Status::No
            }
            "unmask" | "update-state" | "purge" | "disable" if helper => {
                irrelevant(self, Reason::BookKeeping);
                Status::Yes
            }
            "mask" | "disable" | "unmask" | "set-default" | "link" | "edit" | "revert" | "add-wants" => {
                self.note(node, Verdict::Unknown);
                Status::Yes
            }
            "is-enabled" | "is-active" | "is-failed" | "is-system-running" | "show" | "status" | "cat"
            | "list-units" | "list-unit-files" | "show-environment" => {
                self.print(None);
                irrelevant(self, Reason::RunningSystem);
                Status::Opaque
            }
            "" => {
                self.print(None);
                self.note(node, Verdict::Unknown);
                Status::Opaque
            }
            _ => {
                self.print(None);
                irrelevant(self, Reason::RunningSystem);
                Status::Yes
            }
        }
    }
}
