//! rpm-md repository metadata: repomd, primary, filelists, other, updateinfo; reading and writing.
