// SPDX-License-Identifier: MIT
#pragma once

#include "engine/guest/protocol.h"

namespace isol8::guest {

/// Puts a RunSpec together from its pieces, in fixed memory that is given back to the kernel (and
/// so zeroed: it holds secrets) by clear().
class RunSpec {
public:
    /// False: too large.
    bool append(const unsigned char* piece, std::size_t size);
    /// 0, or the errno that says why this cannot be run. The pointers below stay valid until
    /// clear().
    int parse();
    void clear();

    /// All pieces so far, as they came; parse() changes them.
    [[nodiscard]] const unsigned char* bytes() const;
    [[nodiscard]] std::size_t size() const { return m_size; }

    [[nodiscard]] bool hasTerminal() const { return m_flags & RunFlag::Terminal; }
    [[nodiscard]] bool isUsageWanted() const { return m_flags & RunFlag::UsageReports; }
    [[nodiscard]] bool isStdinOpen() const { return m_flags & RunFlag::StdinOpen; }
    [[nodiscard]] bool carriesConnections() const { return m_flags & RunFlag::CarryConnections; }
    [[nodiscard]] bool mayTrace() const { return m_flags & RunFlag::MayTrace; }
    [[nodiscard]] std::uint16_t rows() const { return m_rows; }
    [[nodiscard]] std::uint16_t columns() const { return m_columns; }
    [[nodiscard]] const char* workingDirectory() const { return m_workingDirectory; }
    [[nodiscard]] char** arguments() const { return m_arguments; }
    [[nodiscard]] char** environment() const { return m_environment; }

private:
    std::size_t m_size = 0;
    std::uint32_t m_flags = 0;
    std::uint16_t m_rows = 0;
    std::uint16_t m_columns = 0;
    const char* m_workingDirectory = nullptr;
    char** m_arguments = nullptr;
    char** m_environment = nullptr;
};

} // namespace isol8::guest
