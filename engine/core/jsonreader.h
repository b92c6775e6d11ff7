// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QMap>
#include <QStringList>

#include <optional>

namespace isol8 {

/// Reads the members of one JSON object into variables. A missing or null member leaves its
/// variable as it is; one of the wrong type is an error that names its path. The first error stays
/// and ends all further reading, so a caller reads everything and then looks at error() once.
class JsonReader {
public:
    /// @p path names the object in errors (`request.files`); empty for the outermost.
    JsonReader(const QJsonObject& object, const QString& path, Kind kind);

    void read(const QString& key, QString& target);
    void read(const QString& key, bool& target);
    void read(const QString& key, double& target);
    void read(const QString& key, QStringList& target);
    void read(const QString& key, QMap<QString, QString>& target);
    void read(const QString& key, QJsonObject& target);
    /// A whole number from @p min to @p max.
    void readWhole(const QString& key, qint64& target, qint64 min, qint64 max);
    void readWhole(const QString& key, int& target, int min, int max);

    /// A text that @p fromName (returning an optional) knows; @p allowed is for the error.
    template <typename Value, typename FromName>
    void readName(const QString& key, Value& target, FromName fromName, const QString& allowed)
    {
        QString name;
        read(key, name);
        if (m_error || !has(key))
            return;
        if (const auto value = fromName(name))
            target = *value;
        else
            refuse(key, allowed);
    }

    /// True if the member is there and not null.
    [[nodiscard]] bool has(const QString& key) const;
    /// Its value; undefined when it is missing or null.
    [[nodiscard]] QJsonValue value(const QString& key) const;
    [[nodiscard]] QString pathOf(const QString& key) const;

    /// Sets the error of @p key: its value and what is allowed. For checks of the caller's own.
    void refuse(const QString& key, const QString& allowed);
    void fail(const Error& error);
    /// Fails when @p key is missing.
    void require(const QString& key);
    [[nodiscard]] const std::optional<Error>& error() const { return m_error; }

private:
    /// The value of @p key when it is there and @p isType; sets the error when it is of another
    /// type.
    template <typename IsType>
    std::optional<QJsonValue> typed(const QString& key, IsType isType, const QString& allowed);

    QJsonObject m_object;
    QString m_path;
    Kind m_kind;
    std::optional<Error> m_error;
};

} // namespace isol8
