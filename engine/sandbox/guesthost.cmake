# SPDX-License-Identifier: MIT
# The host's side of engine/guest/protocol.h; the component `guesthost` is made of these.
set(GUEST_HOST_SOURCES
    carriedconnection.cpp carriedconnection.h
    directsocket.cpp directsocket.h
    directtransport.cpp directtransport.h
    guestconnection.cpp guestconnection.h
    guestlink.cpp guestlink.h
    guestoperation.cpp guestoperation.h
    guestrun.cpp guestrunprivate.h
    scriptput.cpp scriptput.h
)
