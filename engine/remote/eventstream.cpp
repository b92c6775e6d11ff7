// SPDX-License-Identifier: MIT
#include "engine/remote/eventstream.h"
// The meta-object code of EventStream is compiled here.
#include "moc_eventstream.cpp"
