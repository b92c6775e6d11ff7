// SPDX-License-Identifier: MIT
#pragma once

#include "engine/sandbox/guestlink.h"

namespace isol8 {

/// The file of a program that is put in one breath with the program's start: it fits into one
/// window, so nobody has to wait for credit or for the guest's word that it is there.
class ScriptPut final : public GuestReceiver {
public:
    ScriptPut(std::shared_ptr<GuestLink> link, QByteArray path);
    ~ScriptPut() override;
    Q_DISABLE_COPY_MOVE(ScriptPut)

    /// @p content: at most guest::fileWindowBytes.
    void send(const QByteArray& content, int mode);
    [[nodiscard]] quint32 id() const { return m_id; }
    /// Why the file could not be put, once the guest has said so.
    [[nodiscard]] const std::optional<Error>& failure() const { return m_failure; }

    [[nodiscard]] Result<> receive(const guest::Header& header, const QByteArray& payload) override;
    void lose(const Error&) override { }

private:
    std::shared_ptr<GuestLink> m_link;
    QByteArray m_path;
    quint32 m_id;
    std::optional<Error> m_failure;
};

} // namespace isol8
