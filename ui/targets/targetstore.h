// SPDX-License-Identifier: MIT
#pragma once

#include "ui/targets/target.h"

#include <QObject>

namespace isol8::ui {

/// This computer and the saved servers. Without keys, which a KeyStore has. Owned by Services.
class TargetStore : public QObject {
    Q_OBJECT

public:
    explicit TargetStore(const QString& path);

    /// This computer is the first.
    [[nodiscard]] QList<Target> targets() const;
    /// This computer for an unknown id.
    [[nodiscard]] Target find(const QString& id) const;

    /// Adds a server, or replaces the one of that id. Kind::Invalid for an address or name that
    /// cannot be.
    [[nodiscard]] Result<> keep(const Target& target);
    void remove(const QString& id);
    [[nodiscard]] static QString freshId();

Q_SIGNALS:
    void changed();

private:
    void read();
    [[nodiscard]] Result<> write() const;

    QString m_path;
    QList<Target> m_servers;
};

} // namespace isol8::ui
