// SPDX-License-Identifier: MIT
#include "ui/settings/uisettings.h"

#include <algorithm>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

UiSettings read(const QSettings& file)
{
    const UiSettings defaults;
    UiSettings values;
    const auto number = [&file](const QString& key, int fallback, int least, int most) {
        return std::clamp(file.value(key, fallback).toInt(), least, most);
    };
    values.colourScheme = UiSettings::ColourScheme(number(u"look/colourScheme"_s, 0, 0, 2));
    values.fontFamily = file.value(u"editor/fontFamily"_s).toString();
    values.fontSize = number(u"editor/fontSize"_s, 0, 0, 60);
    values.indentWidth = number(u"editor/indentWidth"_s, defaults.indentWidth, 1, 16);
    values.isIndentTab = file.value(u"editor/indentTab"_s, false).toBool();
    values.isWrapping = file.value(u"editor/wrap"_s, false).toBool();
    values.areSpacesShown = file.value(u"editor/showSpaces"_s, false).toBool();
    values.areGuidesShown = file.value(u"editor/showGuides"_s, true).toBool();
    values.scrollBackLines
        = number(u"output/scrollBackLines"_s, defaults.scrollBackLines, 1000, 1'000'000);
    values.historyMegabytes = number(u"history/megabytes"_s, defaults.historyMegabytes, 1, 4096);
    return values;
}

} // namespace

SettingsStore::SettingsStore(const QString& path)
    : m_file(path, QSettings::IniFormat)
    , m_values(read(m_file))
{
}

void SettingsStore::change(const UiSettings& values)
{
    if (values == m_values)
        return;
    m_file.setValue(u"look/colourScheme"_s, int(values.colourScheme));
    m_file.setValue(u"editor/fontFamily"_s, values.fontFamily);
    m_file.setValue(u"editor/fontSize"_s, values.fontSize);
    m_file.setValue(u"editor/indentWidth"_s, values.indentWidth);
    m_file.setValue(u"editor/indentTab"_s, values.isIndentTab);
    m_file.setValue(u"editor/wrap"_s, values.isWrapping);
    m_file.setValue(u"editor/showSpaces"_s, values.areSpacesShown);
    m_file.setValue(u"editor/showGuides"_s, values.areGuidesShown);
    m_file.setValue(u"output/scrollBackLines"_s, values.scrollBackLines);
    m_file.setValue(u"history/megabytes"_s, values.historyMegabytes);
    m_values = read(m_file);
    Q_EMIT changed();
}

QVariant SettingsStore::state(const QString& key) const
{
    return m_file.value(u"state/"_s + key);
}

void SettingsStore::setState(const QString& key, const QVariant& value)
{
    m_file.setValue(u"state/"_s + key, value);
}

} // namespace isol8::ui
