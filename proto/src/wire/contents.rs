//! The papers and messages about contents on the wire.

use super::{wire_oneof, wire_struct};
use crate::message::contents::{
    Advertise, Advertised, ContentsMessage, FoundContent, Holding, Naming, Pass, SearchContent,
};

wire_struct!(Pass => Pass { content, bearer, until });
wire_struct!(Holding => Holding { point, size, holder });
wire_struct!(Naming => Naming { name, content, serial });
wire_struct!(Advertise => Advertise { request, holdings, namings });
wire_struct!(Advertised => Advertised { request, is_kept });
wire_struct!(SearchContent => SearchContent { request, point });
wire_struct!(FoundContent => FoundContent { request, holdings, namings });

wire_oneof!(ContentsMessage => ContentsMessage . body in contents_message::Body {
    Advertise = Advertise, Advertised = Advertised, Search = Search, Found = Found,
});
