//! The hash of names in indexed directories: "half MD4", on unsigned characters.
//!
//! It is MD4's compression function (RFC 1320) on 8 words instead of 16, with 8 steps a round, seeded by the file
//! system's hash seed. Names are cut into 32 bytes a step and padded with their own length.

const INITIAL: [u32; 4] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476];
/// Constants of the second and third rounds: the square roots of 2 and 3.
const ROUND_2: u32 = 0x5A82_7999;
const ROUND_3: u32 = 0x6ED9_EBA1;
/// The highest hash value is the end mark of a directory stream; names of that hash get the one before.
const END_MARK: u32 = 0xFFFF_FFFE;

/// The hash (even: its lowest bit marks continued collisions) of a name.
pub(crate) fn half_md4(seed: [u32; 4], name: &[u8]) -> u32 {
    let mut state = if seed == [0; 4] { INITIAL } else { seed };
    let mut rest = name;
    while !rest.is_empty() {
        compress(&mut state, &words(rest));
        rest = &rest[rest.len().min(32)..];
    }
    match state[1] & !1 {
        END_MARK => END_MARK - 2,
        hash => hash,
    }
}

/// Eight words of the next 32 bytes; words that the name does not fill have its (remaining) length in every byte.
fn words(rest: &[u8]) -> [u32; 8] {
    let length = rest.len() as u32;
    let pad = (length & 0xFF | length << 8) & 0xFFFF;
    let pad = pad | pad << 16;
    let mut words = [pad; 8];
    for (word, chunk) in words.iter_mut().zip(rest.chunks(4)) {
        *word = chunk.iter().fold(pad, |word, &byte| word << 8 | u32::from(byte));
    }
    words
}

fn compress(state: &mut [u32; 4], input: &[u32; 8]) {
    type Mix = fn(u32, u32, u32) -> u32;
    let select: Mix = |x, y, z| (x & y) | (!x & z);
    let majority: Mix = |x, y, z| (x & y) | (x & z) | (y & z);
    let parity: Mix = |x, y, z| x ^ y ^ z;
    // Each round: its function, its constant, the order of the input words, and the shifts, which repeat.
    let rounds: [(Mix, u32, [usize; 8], [u32; 4]); 3] = [
        (select, 0, [0, 1, 2, 3, 4, 5, 6, 7], [3, 7, 11, 19]),
        (majority, ROUND_2, [1, 3, 5, 7, 0, 2, 4, 6], [3, 5, 9, 13]),
        (parity, ROUND_3, [3, 7, 2, 6, 1, 5, 0, 4], [3, 9, 11, 15]),
    ];
    let [mut a, mut b, mut c, mut d] = *state;
    for (mix, constant, order, shifts) in rounds {
        for (step, &word) in order.iter().enumerate() {
            let sum = a
                .wrapping_add(mix(b, c, d))
                .wrapping_add(input[word])
                .wrapping_add(constant);
            (a, b, c, d) = (d, sum.rotate_left(shifts[step % 4]), b, c);
        }
    }
    for (word, value) in state.iter_mut().zip([a, b, c, d]) {
        *word = word.wrapping_add(value);
    }
}

#[cfg(test)]
mod tests {
    use super::half_md4;

    /// Values from `debugfs -R "dx_hash -h half_md4 [-s SEED] NAME"` (e2fsprogs 1.47.0). They are of ASCII names,
    /// where signed and unsigned characters are alike; `tests/ext4.rs` has `e2fsck` check others.
    #[test]
    fn as_debugfs_has_it() {
        assert_eq!(half_md4([0; 4], b"hello"), 0x1746_da32);
        let seed = [0x6745_2301, 0xefcd_ab89, 0x6745_2301, 0xefcd_ab89];
        let long = [b'x'; 255];
        let cases: [(&[u8], u32); 4] = [
            (b"hello", 0xa26e_4a80),
            (b"a", 0x35dc_0cc4),
            (&long, 0xac11_f156),
            (b"abcdefghijklmnopqrstuvwxyz0123456789", 0xd89d_5678),
        ];
        for (name, expected) in cases {
            assert_eq!(
                half_md4(seed, name),
                expected,
                "{}",
                String::from_utf8_lossy(name)
            );
        }
    }
}
