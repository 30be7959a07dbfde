//! From the text of a condition to what it means.

use super::super::hint::{closest, shortened};
use super::super::schedule::{Weekday, parse_days};
use super::token::{Token, tokens};
use super::{MAX_CONDITION, MAX_CONDITION_DEPTH, Node, Number};
use std::collections::BTreeSet;

/// What stands where a condition may begin.
const VARIABLES: [&str; 8] = ["hour", "minute", "day", "load", "idle", "on_battery", "true", "false"];

/// What is wrong with a condition, and at which byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Wrong {
    /// The byte, from the start of the text.
    pub(in super::super) at: usize,
    /// What is wrong.
    pub(in super::super) reason: String,
}

impl Wrong {
    pub(super) fn new(at: usize, reason: &str) -> Self {
        Self { at, reason: reason.to_owned() }
    }
}

/// Reads a whole condition.
pub(super) fn parse(text: &str) -> Result<Node, Wrong> {
    if text.len() > MAX_CONDITION {
        return Err(Wrong::new(0, &format!("a condition has at most {MAX_CONDITION} bytes")));
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, end: text.len(), depth: 0 };
    let node = parser.any()?;
    match parser.tokens.first() {
        None => Ok(node),
        Some(_) => Err(parser.expected("`&&`, `||` or the end")),
    }
}

struct Parser<'a> {
    /// What has not been read yet.
    tokens: &'a [(usize, Token<'a>)],
    /// Where the text ends.
    end: usize,
    /// How deep we are.
    depth: usize,
}

impl<'a> Parser<'a> {
    /// Takes a sign if it comes next.
    fn takes(&mut self, sign: &str) -> bool {
        match self.tokens.split_first() {
            Some(((_, Token::Sign(found)), rest)) if *found == sign => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }

    fn at(&self) -> usize {
        self.tokens.first().map_or(self.end, |(at, _)| *at)
    }

    /// That something else was expected here.
    fn expected(&self, what: &str) -> Wrong {
        let found = match self.tokens.first() {
            None => "the condition ends".to_owned(),
            Some((_, Token::Word(word))) => format!("`{}` stands", shortened(word)),
            Some((_, Token::Number(number))) => format!("`{number}` stands"),
            Some((_, Token::Sign(sign))) => format!("`{sign}` stands"),
        };
        Wrong { at: self.at(), reason: format!("{found} where {what} was expected") }
    }

    fn any(&mut self) -> Result<Node, Wrong> {
        let mut parts = vec![self.all()?];
        while self.takes("||") {
            parts.push(self.all()?);
        }
        Ok(Node::Any(parts))
    }

    fn all(&mut self) -> Result<Node, Wrong> {
        let mut parts = vec![self.single()?];
        while self.takes("&&") {
            parts.push(self.single()?);
        }
        Ok(Node::All(parts))
    }

    fn single(&mut self) -> Result<Node, Wrong> {
        let at = self.at();
        if self.depth >= MAX_CONDITION_DEPTH {
            let reason = format!("nested too deep: at most {MAX_CONDITION_DEPTH} parentheses and `!`");
            return Err(Wrong { at, reason });
        }
        self.depth += 1;
        let node = if self.takes("!") {
            Node::Not(Box::new(self.single()?))
        } else if self.takes("(") {
            let inner = self.any()?;
            if !self.takes(")") {
                return Err(self.expected("`)`"));
            }
            inner
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn comparison(&mut self) -> Result<Node, Wrong> {
        let Some(((at, Token::Word(word)), rest)) = self.tokens.split_first() else {
            return Err(self.expected("a variable, `!` or `(`"));
        };
        self.tokens = rest;
        match *word {
            "true" => Ok(Node::Always(true)),
            "false" => Ok(Node::Always(false)),
            "idle" => Ok(Node::Idle),
            "on_battery" => Ok(Node::OnBattery),
            "hour" => self.number(Number::Hour, 23),
            "minute" => self.number(Number::Minute, 59),
            "load" => self.number(Number::Load, 100),
            "day" => self.day(),
            other => Err(Wrong { at: *at, reason: unknown(other) }),
        }
    }

    /// `>= 22`, or `in [22, 0-6]`, of a number from 0 to `most`.
    fn number(&mut self, number: Number, most: u32) -> Result<Node, Wrong> {
        if self.takes_in() {
            let ranges = self.list(|parser| {
                let at = parser.at();
                let first = parser.value(most)?;
                let last = if parser.takes("-") { parser.value(most)? } else { first };
                if last < first {
                    return Err(Wrong::new(at, &format!("the range {first}-{last} ends before it begins")));
                }
                Ok((first, last))
            })?;
            return Ok(Node::Within(number, ranges));
        }
        let Some(sign) = ["==", "!=", ">=", "<=", ">", "<"].into_iter().find(|sign| self.takes(sign)) else {
            return Err(self.expected("a comparison such as `>=`, or `in`"));
        };
        let value = self.value(most)?;
        let within = |first: u32, last: u32| Node::Within(number, vec![(first, last)]);
        Ok(match sign {
            "==" => within(value, value),
            "!=" => Node::Not(Box::new(within(value, value))),
            ">=" => within(value, u32::MAX),
            "<=" => within(0, value),
            ">" => within(value.saturating_add(1), u32::MAX),
            _ => value.checked_sub(1).map_or(Node::Always(false), |last| within(0, last)),
        })
    }

    /// `== sat`, `!= sun`, or `in [mon-wed, sat]`.
    fn day(&mut self) -> Result<Node, Wrong> {
        if self.takes_in() {
            let days = self.list(Self::days)?;
            return Ok(Node::Day(days.into_iter().flatten().collect()));
        }
        let is = self.takes("==");
        if !is && !self.takes("!=") {
            return Err(self.expected("`==`, `!=` or `in`"));
        }
        let day = Node::Day(BTreeSet::from([self.weekday()?]));
        Ok(if is { day } else { Node::Not(Box::new(day)) })
    }

    /// `sat`, or `fri-mon`.
    fn days(&mut self) -> Result<Vec<Weekday>, Wrong> {
        let first = self.weekday()?;
        let last = if self.takes("-") { self.weekday()? } else { first };
        Ok(parse_days(&format!("{first}-{last}")).unwrap_or_default())
    }

    fn weekday(&mut self) -> Result<Weekday, Wrong> {
        let found = match self.tokens.split_first() {
            Some(((_, Token::Word(word)), rest)) => Weekday::parse(word).map(|day| (day, rest)),
            _ => None,
        };
        let (day, rest) = found.ok_or_else(|| self.expected("a day from `mon` to `sun`"))?;
        self.tokens = rest;
        Ok(day)
    }

    fn value(&mut self, most: u32) -> Result<u32, Wrong> {
        match self.tokens.split_first() {
            Some(((_, Token::Number(number)), rest)) if *number <= most => {
                self.tokens = rest;
                Ok(*number)
            }
            _ => Err(self.expected(&format!("a whole number from 0 to {most}"))),
        }
    }

    fn takes_in(&mut self) -> bool {
        match self.tokens.split_first() {
            Some(((_, Token::Word("in")), rest)) => {
                self.tokens = rest;
                true
            }
            _ => false,
        }
    }

    /// At least one entry in brackets.
    fn list<T>(&mut self, entry: impl Fn(&mut Self) -> Result<T, Wrong>) -> Result<Vec<T>, Wrong> {
        if !self.takes("[") {
            return Err(self.expected("a list in brackets"));
        }
        let mut entries = vec![entry(self)?];
        while self.takes(",") {
            entries.push(entry(self)?);
        }
        if self.takes("]") { Ok(entries) } else { Err(self.expected("`,` or `]`")) }
    }
}

fn unknown(word: &str) -> String {
    let quoted: Vec<String> = VARIABLES.iter().map(|name| format!("`{name}`")).collect();
    match closest(word, VARIABLES.into_iter()) {
        Some(meant) => format!("`{}` is not a variable; did you mean `{meant}`?", shortened(word)),
        None => format!("`{}` is not a variable; expected one of {}", shortened(word), quoted.join(", ")),
    }
}
