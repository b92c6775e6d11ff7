// SPDX-License-Identifier: MIT
#pragma once

#include "engine/output/bounder.h"
#include "engine/output/masker.h"

namespace isol8 {

/// One stream of a run's output on its way to the user: masked, then bounded (the limit counts what
/// is shown).
class OutputStream {
public:
    OutputStream(SecretSet secrets, qint64 maxBytes);

    [[nodiscard]] QByteArray feed(const QByteArray& bytes);
    /// The end: the bytes that waited for the rest of a secret. Call it once.
    [[nodiscard]] QByteArray finish();
    [[nodiscard]] bool isTruncated() const { return m_bounder.isTruncated(); }

private:
    Masker m_masker;
    Bounder m_bounder;
};

} // namespace isol8
