// SPDX-License-Identifier: MIT
#pragma once

#include "engine/guest/protocol.h"

namespace isol8::guest {

/// Frames on their way to the host, in one fixed buffer. A part of it is kept for control frames,
/// so output never delays them; the main loop takes in no more from the host while that part runs
/// short.
class FrameWriter {
public:
    static constexpr std::size_t capacityBytes = 1024 * 1024;
    static constexpr std::size_t controlBytes = 512 * 1024;

    explicit FrameWriter(int fd)
        : m_fd(fd)
    {
    }

    /// What follows goes to @p fd; what was not sent yet is forgotten.
    void switchTo(int fd)
    {
        clear();
        m_fd = fd;
    }

    /// Room for a data frame with a full payload.
    [[nodiscard]] bool hasRoomForData() const
    {
        return room() >= controlBytes + headerBytes + maxPayloadBytes;
    }
    /// Room for every answer that one read from the host can cause.
    [[nodiscard]] bool hasRoomForControl() const { return room() >= controlBytes / 2; }
    [[nodiscard]] bool isEmpty() const { return m_begin == m_end; }

    void control(Type type, std::uint32_t id, const void* payload, std::size_t size,
        Stream stream = Stream::None);
    /// Done, Scrubbed: an errno and a text of at most 512 bytes.
    void verdict(Type type, std::uint32_t id, int error, const char* text);

    /// Where maxPayloadBytes of a data frame may be put; call only with room. commitData() sends
    /// them.
    unsigned char* beginData();
    void commitData(Type type, std::uint32_t id, Stream stream, std::size_t size);

    /// Writes what can be written now. False: nobody reads any more.
    bool flush();
    /// Forgets everything, also the rest of a frame that was half sent.
    void clear() { m_begin = m_end = 0; }

private:
    [[nodiscard]] std::size_t room() const { return capacityBytes - (m_end - m_begin); }
    unsigned char* claim(std::size_t size);

    int m_fd;
    std::size_t m_begin = 0;
    std::size_t m_end = 0;
    unsigned char m_buffer[capacityBytes] = {};
};

} // namespace isol8::guest
