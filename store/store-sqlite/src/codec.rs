//! How single values are kept, so that what is read is what was written, bit for bit.

use orchestrator_core::id::Digest;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};
use store::{Named, TaskText};

/// An unsigned number as the signed one of the same bits. Order is kept below 2^63.
#[derive(Clone, Copy)]
pub(crate) struct Unsigned(pub(crate) u64);

impl ToSql for Unsigned {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(Value::Integer(self.0.cast_signed())))
    }
}

impl FromSql for Unsigned {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(|signed| Self(signed.cast_unsigned()))
    }
}

/// An id as 16 bytes, big-endian.
pub(crate) struct Id([u8; 16]);

impl Id {
    pub(crate) fn new(id: u128) -> Self {
        Self(id.to_be_bytes())
    }

    pub(crate) fn value(&self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        fixed(value).map(Self)
    }
}

/// An id without leading zero bytes: the reserved ids, in every row, cost nothing.
pub(crate) struct ShortId([u8; 16]);

impl ShortId {
    pub(crate) fn new(id: u128) -> Self {
        Self(id.to_be_bytes())
    }

    pub(crate) fn value(&self) -> u128 {
        u128::from_be_bytes(self.0)
    }
}

impl ToSql for ShortId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let first = self.0.iter().position(|byte| *byte != 0).unwrap_or(16);
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0[first..])))
    }
}

impl FromSql for ShortId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let bytes = value.as_blob()?;
        let mut id = [0; 16];
        let first = id
            .len()
            .checked_sub(bytes.len())
            .ok_or(FromSqlError::InvalidBlobSize {
                expected_size: 16,
                blob_size: bytes.len(),
            })?;
        id[first..].copy_from_slice(bytes);
        Ok(Self(id))
    }
}

/// A digest as 32 bytes.
pub(crate) struct Hash(pub(crate) Digest);

impl ToSql for Hash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0.0)))
    }
}

impl FromSql for Hash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        fixed(value).map(|bytes| Self(Digest(bytes)))
    }
}

/// So many bytes as they are.
pub(crate) struct Bytes<const N: usize>(pub(crate) [u8; N]);

impl<const N: usize> ToSql for Bytes<N> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl<const N: usize> FromSql for Bytes<N> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        fixed(value).map(Self)
    }
}

/// A double of exactly these bits. SQLite would make NULL of what is not a number, so that is kept as its
/// 8 bytes; the column must have no numeric affinity, or -0.0 would lose its sign.
pub(crate) struct Exact(pub(crate) f64);

impl ToSql for Exact {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(if self.0.is_nan() {
            Value::Blob(self.0.to_be_bytes().to_vec())
        } else {
            Value::Real(self.0)
        }))
    }
}

impl FromSql for Exact {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value {
            ValueRef::Real(number) => Ok(Self(number)),
            _ => fixed(value).map(|bytes| Self(f64::from_be_bytes(bytes))),
        }
    }
}

/// A member of a closed set by its name.
pub(crate) struct Name<T>(pub(crate) T);

impl<T: Named> ToSql for Name<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(
            self.0.name().as_bytes(),
        )))
    }
}

impl<T: Named> FromSql for Name<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        T::from_name(name)
            .map(Self)
            .ok_or_else(|| FromSqlError::Other(format!("no {} is called {name}", T::SET).into()))
    }
}

/// The lengths of a text's tokens as LEB128.
pub(crate) fn pack_ends(ends: &[u32]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(ends.len());
    let mut start = 0;
    for end in ends {
        let mut left = end - start;
        while left >= 0x80 {
            packed.push((left & 0x7f) as u8 | 0x80);
            left >>= 7;
        }
        packed.push(left as u8);
        start = *end;
    }
    packed
}

/// The text whose token lengths were packed; none if they do not fit it.
pub(crate) fn unpack_text(text: String, packed: &[u8]) -> Option<TaskText> {
    let mut ends = Vec::with_capacity(packed.len());
    let (mut end, mut length, mut shift) = (0u32, 0u32, 0u32);
    for byte in packed {
        length |= u32::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            end = end.checked_add(length)?;
            ends.push(end);
            (length, shift) = (0, 0);
        }
    }
    let text = TaskText { text, ends };
    (shift == 0 && text.is_sound()).then_some(text)
}

fn fixed<const N: usize>(value: ValueRef<'_>) -> FromSqlResult<[u8; N]> {
    let bytes = value.as_blob()?;
    bytes.try_into().map_err(|_| FromSqlError::InvalidBlobSize {
        expected_size: N,
        blob_size: bytes.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_any_size_survive_packing() {
        let mut text = TaskText::default();
        for length in [0, 1, 127, 128, 16_383, 16_384, 0, 300_000] {
            text.push(&"x".repeat(length));
        }
        let packed = pack_ends(&text.ends);
        assert_eq!(packed.len(), 1 + 1 + 1 + 2 + 2 + 3 + 1 + 3);
        assert_eq!(unpack_text(text.text.clone(), &packed), Some(text));
    }

    #[test]
    fn lengths_that_do_not_fit_the_text_are_seen() {
        assert_eq!(unpack_text("abc".into(), &[1, 1]), None);
        assert_eq!(unpack_text("abc".into(), &[1, 3]), None);
        assert_eq!(unpack_text("abc".into(), &[0x83]), None);
        assert_eq!(unpack_text("é".into(), &[1, 1]), None);
        assert_eq!(unpack_text(String::new(), &[0xff; 9]), None);
    }
}
