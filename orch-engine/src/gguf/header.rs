//! The header of a GGUF file: read, checked, and turned into the figures that the model is built by.

use std::io::{Cursor, Read, SeekFrom};

use candle_core::quantized::gguf_file::Content;

use super::{Dimensions, Fault, Metadata, ModelBytes, storage, tensors};

const MAGIC: &[u8; 4] = b"GGUF";
const ALIGNMENT_KEY: &[u8] = b"general.alignment";

/// A header is read whole before it is parsed: a vocabulary of a million tokens fits in this.
const MAX_HEADER: u64 = 64 << 20;

/// A header whose every figure was checked against the others and against the file's length.
pub(crate) struct Header {
    pub(crate) content: Content,
    pub(crate) dimensions: Dimensions,
    /// Elements in all tensors.
    pub(crate) n_params: u64,
    /// Bytes of all tensors.
    pub(crate) tensor_bytes: u64,
    /// Bytes of all tensors in memory.
    pub(crate) bytes_loaded: u64,
}

impl Header {
    /// Reads and checks everything but the weights themselves.
    pub(crate) fn read(bytes: &mut dyn ModelBytes) -> Result<Self, Fault> {
        let length = bytes.seek(SeekFrom::End(0)).map_err(Fault::Unreadable)?;
        bytes.rewind().map_err(Fault::Unreadable)?;
        let mut start = Vec::new();
        bytes
            .take(MAX_HEADER)
            .read_to_end(&mut start)
            .map_err(Fault::Unreadable)?;
        check_magic(&start)?;
        if declares_zero_alignment(&start) {
            return Err(Fault::Damaged("general.alignment is 0".to_owned()));
        }
        let content =
            Content::read(&mut Cursor::new(start)).map_err(|error| storage::explained(&error))?;
        let dimensions = Dimensions::read(Metadata::new(&content.metadata))?;
        let extent = tensors::check(&content, &dimensions, length)?;
        Ok(Self {
            content,
            dimensions,
            n_params: extent.elements,
            tensor_bytes: extent.bytes,
            bytes_loaded: extent.bytes_loaded,
        })
    }

    pub(crate) fn metadata(&self) -> Metadata<'_> {
        Metadata::new(&self.content.metadata)
    }
}

fn check_magic(start: &[u8]) -> Result<(), Fault> {
    if start.starts_with(MAGIC) {
        return Ok(());
    }
    let found = &start[..start.len().min(MAGIC.len())];
    Err(Fault::NotGguf(format!(
        "it starts with \"{}\" instead of \"GGUF\"",
        found.escape_ascii()
    )))
}

/// Whether the header sets `general.alignment` to zero, by which the library's reader would divide.
///
/// The key is looked for as bytes, because to find it properly takes the very reader that must not
/// see such a file.
fn declares_zero_alignment(header: &[u8]) -> bool {
    let kind_at = ALIGNMENT_KEY.len();
    let value_at = kind_at + size_of::<u32>();
    header
        .windows(value_at + size_of::<u32>())
        .filter(|window| window.starts_with(ALIGNMENT_KEY))
        .any(|window| {
            // GGUF's numbers for u8, i8, u16, i16, u32, i32; the reader ignores any other type.
            let width = match window[kind_at] {
                0 | 1 => 1,
                2 | 3 => 2,
                4 | 5 => 4,
                _ => return false,
            };
            window[value_at..value_at + width]
                .iter()
                .all(|&byte| byte == 0)
        })
}
