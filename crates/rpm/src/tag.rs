//! Tag numbers of headers (rpmtag.h of rpm 4.18) and the types of their values.

use std::fmt;

/// The number of a header entry: an RPMTAG_* of a main header or an RPMSIGTAG_* of a signature header.
///
/// The two spaces overlap: numbers from 1000 mean different things in the two headers, numbers
/// from 256 to 999 mean the same. Constants of the signature header's own range start with `SIG_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(pub u32);

macro_rules! tags {
    ($($name:ident = $number:literal),* $(,)?) => {
        #[allow(missing_docs)]
        impl Tag {
            $(pub const $name: Self = Self($number);)*

            /// The constant's name, for messages; `None` for a number without one.
            ///
            /// Where both headers use a number, the name is that of the main header.
            pub fn name(self) -> Option<&'static str> {
                const NAMES: &[(u32, &str)] = &[$(($number, stringify!($name))),*];
                NAMES.iter().find(|(number, _)| *number == self.0).map(|(_, name)| *name)
            }
        }
    };
}

tags! {
    // Both headers.
    HEADERSIGNATURES = 62,
    HEADERIMMUTABLE = 63,
    HEADERI18NTABLE = 100,
    SIGSIZE = 257,
    SIGPGP = 259,
    SIGMD5 = 261,
    SIGGPG = 262,
    DSAHEADER = 267,
    RSAHEADER = 268,
    SHA1HEADER = 269,
    LONGSIGSIZE = 270,
    LONGARCHIVESIZE = 271,
    SHA256HEADER = 273,
    FILESIGNATURES = 274,
    FILESIGNATURELENGTH = 275,
    VERITYSIGNATURES = 276,
    VERITYSIGNATUREALGO = 277,
    OPENPGP = 278,
    SHA3_256HEADER = 279,
    // The main header.
    NAME = 1000,
    VERSION = 1001,
    RELEASE = 1002,
    EPOCH = 1003,
    SUMMARY = 1004,
    DESCRIPTION = 1005,
    BUILDTIME = 1006,
    BUILDHOST = 1007,
    INSTALLTIME = 1008,
    SIZE = 1009,
    DISTRIBUTION = 1010,
    VENDOR = 1011,
    GIF = 1012,
    XPM = 1013,
    LICENSE = 1014,
    PACKAGER = 1015,
    GROUP = 1016,
    SOURCE = 1018,
    PATCH = 1019,
    URL = 1020,
    OS = 1021,
    ARCH = 1022,
    PREIN = 1023,
    POSTIN = 1024,
    PREUN = 1025,
    POSTUN = 1026,
    OLDFILENAMES = 1027,
    FILESIZES = 1028,
    FILESTATES = 1029,
    FILEMODES = 1030,
    FILERDEVS = 1033,
    FILEMTIMES = 1034,
    FILEDIGESTS = 1035,
    FILELINKTOS = 1036,
    FILEFLAGS = 1037,
    FILEUSERNAME = 1039,
    FILEGROUPNAME = 1040,
    ICON = 1043,
    SOURCERPM = 1044,
    FILEVERIFYFLAGS = 1045,
    ARCHIVESIZE = 1046,
    PROVIDENAME = 1047,
    REQUIREFLAGS = 1048,
    REQUIRENAME = 1049,
    REQUIREVERSION = 1050,
    CONFLICTFLAGS = 1053,
    CONFLICTNAME = 1054,
    CONFLICTVERSION = 1055,
    EXCLUDEARCH = 1059,
    EXCLUSIVEARCH = 1061,
    RPMVERSION = 1064,
    TRIGGERSCRIPTS = 1065,
    TRIGGERNAME = 1066,
    TRIGGERVERSION = 1067,
    TRIGGERFLAGS = 1068,
    TRIGGERINDEX = 1069,
    VERIFYSCRIPT = 1079,
    CHANGELOGTIME = 1080,
    CHANGELOGNAME = 1081,
    CHANGELOGTEXT = 1082,
    PREINPROG = 1085,
    POSTINPROG = 1086,
    PREUNPROG = 1087,
    POSTUNPROG = 1088,
    BUILDARCHS = 1089,
    OBSOLETENAME = 1090,
    VERIFYSCRIPTPROG = 1091,
    TRIGGERSCRIPTPROG = 1092,
    COOKIE = 1094,
    FILEDEVICES = 1095,
    FILEINODES = 1096,
    FILELANGS = 1097,
    PREFIXES = 1098,
    INSTPREFIXES = 1099,
    SOURCEPACKAGE = 1106,
    PROVIDEFLAGS = 1112,
    PROVIDEVERSION = 1113,
    OBSOLETEFLAGS = 1114,
    OBSOLETEVERSION = 1115,
    DIRINDEXES = 1116,
    BASENAMES = 1117,
    DIRNAMES = 1118,
    ORIGDIRINDEXES = 1119,
    ORIGBASENAMES = 1120,
    ORIGDIRNAMES = 1121,
    OPTFLAGS = 1122,
    DISTURL = 1123,
    PAYLOADFORMAT = 1124,
    PAYLOADCOMPRESSOR = 1125,
    PAYLOADFLAGS = 1126,
    INSTALLCOLOR = 1127,
    INSTALLTID = 1128,
    REMOVETID = 1129,
    PLATFORM = 1132,
    FILECOLORS = 1140,
    FILECLASS = 1141,
    CLASSDICT = 1142,
    FILEDEPENDSX = 1143,
    FILEDEPENDSN = 1144,
    DEPENDSDICT = 1145,
    SOURCEPKGID = 1146,
    PRETRANS = 1151,
    POSTTRANS = 1152,
    PRETRANSPROG = 1153,
    POSTTRANSPROG = 1154,
    DISTTAG = 1155,
    PRIORITY = 1162,
    CVSID = 1163,
    TRIGGERTYPE = 5003,
    BUGURL = 5012,
    LONGFILESIZES = 5008,
    LONGSIZE = 5009,
    FILECAPS = 5010,
    FILEDIGESTALGO = 5011,
    PREINFLAGS = 5020,
    POSTINFLAGS = 5021,
    PREUNFLAGS = 5022,
    POSTUNFLAGS = 5023,
    PRETRANSFLAGS = 5024,
    POSTTRANSFLAGS = 5025,
    VERIFYSCRIPTFLAGS = 5026,
    TRIGGERSCRIPTFLAGS = 5027,
    VCS = 5034,
    ORDERNAME = 5035,
    ORDERVERSION = 5036,
    ORDERFLAGS = 5037,
    RECOMMENDNAME = 5046,
    RECOMMENDVERSION = 5047,
    RECOMMENDFLAGS = 5048,
    SUGGESTNAME = 5049,
    SUGGESTVERSION = 5050,
    SUGGESTFLAGS = 5051,
    SUPPLEMENTNAME = 5052,
    SUPPLEMENTVERSION = 5053,
    SUPPLEMENTFLAGS = 5054,
    ENHANCENAME = 5055,
    ENHANCEVERSION = 5056,
    ENHANCEFLAGS = 5057,
    ENCODING = 5062,
    FILETRIGGERSCRIPTS = 5066,
    FILETRIGGERSCRIPTPROG = 5067,
    FILETRIGGERSCRIPTFLAGS = 5068,
    FILETRIGGERNAME = 5069,
    FILETRIGGERINDEX = 5070,
    FILETRIGGERVERSION = 5071,
    FILETRIGGERFLAGS = 5072,
    TRANSFILETRIGGERSCRIPTS = 5076,
    TRANSFILETRIGGERSCRIPTPROG = 5077,
    TRANSFILETRIGGERSCRIPTFLAGS = 5078,
    TRANSFILETRIGGERNAME = 5079,
    TRANSFILETRIGGERINDEX = 5080,
    TRANSFILETRIGGERVERSION = 5081,
    TRANSFILETRIGGERFLAGS = 5082,
    FILETRIGGERPRIORITIES = 5084,
    TRANSFILETRIGGERPRIORITIES = 5085,
    PAYLOADDIGEST = 5092,
    PAYLOADDIGESTALGO = 5093,
    MODULARITYLABEL = 5096,
    PAYLOADDIGESTALT = 5097,
    SPEC = 5099,
    PREUNTRANS = 5104,
    POSTUNTRANS = 5105,
    PREUNTRANSPROG = 5106,
    POSTUNTRANSPROG = 5107,
    PREUNTRANSFLAGS = 5108,
    POSTUNTRANSFLAGS = 5109,
    // The signature header's own range.
    SIG_SIZE = 1000,
    SIG_PGP = 1002,
    SIG_MD5 = 1004,
    SIG_GPG = 1005,
    SIG_PAYLOADSIZE = 1007,
    SIG_RESERVEDSPACE = 1008,
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} ({name})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

/// How the values of an entry are stored (`rpmTagType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum TagType {
    Char,
    Int8,
    Int16,
    Int32,
    Int64,
    String,
    Binary,
    StringArray,
    I18nString,
}

impl TagType {
    /// The type of a number in the index; `None` for 0 (`NULL`, which rpm never writes) and what is unknown.
    pub fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::Char,
            2 => Self::Int8,
            3 => Self::Int16,
            4 => Self::Int32,
            5 => Self::Int64,
            6 => Self::String,
            7 => Self::Binary,
            8 => Self::StringArray,
            9 => Self::I18nString,
            _ => return None,
        })
    }

    /// The number in the index.
    pub fn number(self) -> u32 {
        match self {
            Self::Char => 1,
            Self::Int8 => 2,
            Self::Int16 => 3,
            Self::Int32 => 4,
            Self::Int64 => 5,
            Self::String => 6,
            Self::Binary => 7,
            Self::StringArray => 8,
            Self::I18nString => 9,
        }
    }

    /// Offsets of this type's values in the store are multiples of this many bytes.
    pub fn alignment(self) -> usize {
        match self {
            Self::Int16 => 2,
            Self::Int32 => 4,
            Self::Int64 => 8,
            _ => 1,
        }
    }
}
