//! Colours and styles of text, as `ESC [ … m` sets them.

use std::fmt::Write as _;

use vte::Params;

/// What a character looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    /// Bit n stands for attribute n of [`ATTRIBUTES`].
    attributes: u8,
    foreground: Colour,
    background: Colour,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Colour {
    Default,
    Indexed(u8),
    Rgb(u8, u8, u8),
}

/// Parameters that switch an attribute on, and off: bold, dim, italic, underlined, blinking, reverse, hidden, struck out.
const ATTRIBUTES: [(u16, u16); 8] = [(1, 22), (2, 22), (3, 23), (4, 24), (5, 25), (7, 27), (8, 28), (9, 29)];

impl Style {
    pub(super) const DEFAULT: Self = Self { attributes: 0, foreground: Colour::Default, background: Colour::Default };

    /// Takes in the parameters of one sequence. Unknown ones change nothing.
    pub(super) fn apply(&mut self, parameters: &Params) {
        let mut parameters = parameters.iter();
        while let Some(parameter) = parameters.next() {
            let Some(&code) = parameter.first() else { continue };
            match code {
                0 => *self = Self::DEFAULT,
                // `4:0` is no line, `4:3` a wavy one.
                4 if parameter.get(1) == Some(&0) => self.switch_off(24),
                1..=5 | 7..=9 => self.switch_on(code),
                6 => self.switch_on(5),
                21 => self.switch_on(4),
                22..=29 => self.switch_off(code),
                30..=37 => self.foreground = Colour::Indexed((code - 30) as u8),
                39 => self.foreground = Colour::Default,
                40..=47 => self.background = Colour::Indexed((code - 40) as u8),
                49 => self.background = Colour::Default,
                90..=97 => self.foreground = Colour::Indexed((code - 90 + 8) as u8),
                100..=107 => self.background = Colour::Indexed((code - 100 + 8) as u8),
                38 | 48 | 58 => {
                    let mut following = || parameters.next().and_then(|parameter| parameter.first().copied());
                    let colour = match parameter {
                        [_, rest @ ..] if !rest.is_empty() => Colour::of_parts(rest),
                        _ => Colour::of_next(&mut following),
                    };
                    match (code, colour) {
                        (38, Some(colour)) => self.foreground = colour,
                        (48, Some(colour)) => self.background = colour,
                        // The colour of underlines is not kept.
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }

    fn switch_on(&mut self, code: u16) {
        for (bit, (on, _)) in ATTRIBUTES.iter().enumerate() {
            self.attributes |= u8::from(*on == code) << bit;
        }
    }

    fn switch_off(&mut self, code: u16) {
        for (bit, (_, off)) in ATTRIBUTES.iter().enumerate() {
            self.attributes &= !(u8::from(*off == code) << bit);
        }
    }

    /// Writes the sequence that leads from one style to this one, always in the same words.
    pub(super) fn write_after(&self, before: &Self, out: &mut String) {
        if self == before {
            return;
        }
        if *self == Self::DEFAULT {
            return out.push_str("\x1b[0m");
        }
        out.push_str("\x1b[");
        if *before != Self::DEFAULT {
            out.push_str("0;");
        }
        for (bit, (on, _)) in ATTRIBUTES.iter().enumerate() {
            if self.attributes >> bit & 1 == 1 {
                // Writing to a String cannot fail, here and below.
                let _ = write!(out, "{on};");
            }
        }
        self.foreground.write(out, 30);
        self.background.write(out, 40);
        out.pop();
        out.push('m');
    }
}

impl Colour {
    /// Of `38:5:N`, `38:2:R:G:B` and `38:2:SPACE:R:G:B`, without the first number.
    fn of_parts(parts: &[u16]) -> Option<Self> {
        match parts {
            [5, index, ..] => Some(Self::Indexed(u8::try_from(*index).ok()?)),
            [2, _, red, green, blue] | [2, red, green, blue] => Self::of_rgb(*red, *green, *blue),
            _ => None,
        }
    }

    /// Of `38;5;N` and `38;2;R;G;B`: takes what belongs to it.
    fn of_next(next: &mut impl FnMut() -> Option<u16>) -> Option<Self> {
        match next()? {
            5 => Some(Self::Indexed(u8::try_from(next()?).ok()?)),
            2 => Self::of_rgb(next()?, next()?, next()?),
            _ => None,
        }
    }

    fn of_rgb(red: u16, green: u16, blue: u16) -> Option<Self> {
        Some(Self::Rgb(red.try_into().ok()?, green.try_into().ok()?, blue.try_into().ok()?))
    }

    fn write(self, out: &mut String, base: u16) {
        let _ = match self {
            Self::Default => Ok(()),
            Self::Indexed(index @ 0..=7) => write!(out, "{};", base + u16::from(index)),
            Self::Indexed(index @ 8..=15) => write!(out, "{};", base + 52 + u16::from(index)),
            Self::Indexed(index) => write!(out, "{};5;{index};", base + 8),
            Self::Rgb(red, green, blue) => write!(out, "{};2;{red};{green};{blue};", base + 8),
        };
    }
}
