// SPDX-License-Identifier: MIT
// What fuzz_guest.cpp and guestparts.cpp share. To be included before any other header of the
// guest's, but after what has to have the kernel's own functions.
#pragma once

#include "tests/fuzz/guestseam.h"

#include "engine/guest/guest.h"

#include <cstdint>
#include <vector>

inline constexpr int fakePid = 1 << 30; // above all that a kernel gives out

/// Everything outside of process 1.
struct World {
    const std::uint8_t* events = nullptr;
    std::size_t eventsLeft = 0;
    const std::uint8_t* frames = nullptr;
    std::size_t framesLeft = 0;
    std::size_t pieceBytes = 1;

    isol8::guest::FrameParser output;
    bool isOutputBlocked = false;
    std::int64_t microseconds = 1'000'000;
    int rounds = 0;
    int pids = 0;
    int listener = -1;
    int waiting = 0; ///< Connections that it has.
    bool doesForkFail = false;
    bool isStubborn = false; ///< Somebody cannot be killed.
    bool isProgramOver = false;
    int programStatus = 0;
    std::vector<int> connections; ///< The program's ends.
    std::vector<int> workers; ///< Ends of the children that work on files,
    std::vector<std::uint32_t> workerIds; ///< and what they were asked for last.
    int direct = -1; ///< The guest's end of a direct socket,
    int directPeer = -1; ///< and the host's;
    int meetingPeer = -1; ///< and of the connection that it is passed over.
    bool isNewHost = false; ///< The next frames come on the attached stream all the same.
    int streams[3] = { -1, -1, -1 }; ///< The program's.
    int signals = -1;
    int scrub = -1;
};

extern World* world;

void closeEnd(int& fd);
/// Two ends; the second one is the world's.
int connected(int type, int& theirs);
