//! The part of the reader that takes compound commands apart: `if`, `while`, `for`, `case` (2.9.4).

use super::ast::{Arm, Kind, Node};
use super::parse::{Parsed, Parser};
use super::words::is_name;

impl Parser<'_> {
    pub(super) fn if_command(&mut self) -> Parsed<Kind> {
        self.at += 2;
        let mut branches = Vec::new();
        loop {
            let condition = self.list(&["then"])?;
            self.expect("then")?;
            let body = self.list(&["elif", "else", "fi"])?;
            branches.push((condition, body));
            match self.bare_word() {
                "elif" => self.at += 4,
                "else" => {
                    self.at += 4;
                    let otherwise = self.list(&["fi"])?;
                    self.expect("fi")?;
                    return Ok(Kind::If {
                        branches,
                        otherwise: Some(Box::new(otherwise)),
                    });
                }
                _ => {
                    self.expect("fi")?;
                    return Ok(Kind::If {
                        branches,
                        otherwise: None,
                    });
                }
            }
        }
    }

    pub(super) fn while_command(&mut self) -> Parsed<Kind> {
        self.at += 5; // `while` and `until` are of one length
        let condition = self.list(&["do"])?;
        let body = self.do_group()?;
        Ok(Kind::While {
            condition: Box::new(condition),
            body: Box::new(body),
        })
    }

    fn do_group(&mut self) -> Parsed<Node> {
        self.expect("do")?;
        let body = self.list(&["done"])?;
        self.expect("done")?;
        Ok(body)
    }

    pub(super) fn for_command(&mut self) -> Parsed<Kind> {
        self.at += 3;
        self.skip_blanks();
        let variable = self.bare_word().to_owned();
        if !is_name(&variable) {
            return Err(self.fail("`for` without a variable"));
        }
        self.at += variable.len();
        self.skip_lines()?;
        let mut words = None;
        if self.bare_word() == "in" {
            self.at += 2;
            let mut list = Vec::new();
            loop {
                self.skip_blanks();
                if matches!(self.peek(), None | Some(b';' | b'\n')) {
                    break;
                }
                list.push(self.some_word()?);
            }
            words = Some(list);
        }
        self.skip_blanks();
        if self.peek() == Some(b';') {
            self.at += 1;
        }
        let body = self.do_group()?;
        Ok(Kind::For {
            variable,
            words,
            body: Box::new(body),
        })
    }

    pub(super) fn case_command(&mut self) -> Parsed<Kind> {
        self.at += 4;
        self.skip_blanks();
        let word = self.some_word()?;
        self.expect("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_lines()?;
            if self.bare_word() == "esac" {
                self.at += 4;
                return Ok(Kind::Case { word, arms });
            }
            if self.peek() == Some(b'(') {
                self.at += 1;
            }
            let mut patterns = Vec::new();
            loop {
                self.skip_blanks();
                patterns.push(self.some_word()?);
                self.skip_blanks();
                match self.peek() {
                    Some(b'|') => self.at += 1,
                    Some(b')') => break,
                    _ => return Err(self.fail("a pattern of `case` does not end")),
                }
            }
            self.at += 1;
            let body = self.list(&["esac"])?;
            self.skip_lines()?;
            if self.starts(";;") {
                self.at += 2;
            } else if self.bare_word() != "esac" {
                return Err(self.fail("an arm of `case` does not end"));
            }
            arms.push(Arm { patterns, body });
        }
    }
}
