// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>
#include <QSettings>

namespace isol8::ui {

/// What the user chose about the window itself.
struct UiSettings {
    enum class ColourScheme { System, Light, Dark };
    ColourScheme colourScheme = ColourScheme::System;
    QString fontFamily; ///< Empty: the system's fixed font.
    int fontSize = 0; ///< Points; 0: the system's.
    int indentWidth = 4;
    bool isIndentTab = false;
    bool isWrapping = false;
    bool areSpacesShown = false;
    bool areGuidesShown = true;
    int scrollBackLines = 100'000;
    int historyMegabytes = 64;

    bool operator==(const UiSettings&) const = default;
};

/// Keeps UiSettings and the window's state in one file. Values out of range become the nearest
/// ones. Owned by the application.
class SettingsStore : public QObject {
    Q_OBJECT

public:
    explicit SettingsStore(const QString& path);

    [[nodiscard]] const UiSettings& values() const { return m_values; }
    void change(const UiSettings& values);

    /// Anything that a part of the window remembers of itself.
    [[nodiscard]] QVariant state(const QString& key) const;
    void setState(const QString& key, const QVariant& value);

Q_SIGNALS:
    void changed();

private:
    QSettings m_file;
    UiSettings m_values;
};

} // namespace isol8::ui
