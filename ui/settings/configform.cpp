// SPDX-License-Identifier: MIT
#include "ui/settings/configform.h"

#include "engine/core/smallfile.h"
#include "ui/run/runsentences.h"
#include "ui/widgets/checkedline.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLabel>
#include <QSaveFile>
#include <QVBoxLayout>

namespace isol8::ui {

using namespace Qt::StringLiterals;

namespace {

constexpr qint64 maxFileBytes = 1 << 20;

bool isList(SettingType type)
{
    return type == SettingType::TextList || type == SettingType::PatternList
        || type == SettingType::IntegerList;
}

QString textOf(const SettingKey& key, const QJsonValue& value)
{
    if (isList(key.type)) {
        QStringList texts;
        for (const auto& item : value.toArray())
            texts << item.toVariant().toString();
        return texts.join(u", "_s);
    }
    return value.toVariant().toString();
}

/// What was typed, as the file would hold it. A text that fits no number stays one, for the check
/// to name.
QJsonValue valueOf(const SettingKey& key, const QString& text)
{
    const auto number = [](const QString& typed) {
        bool isNumber = false;
        const double value = typed.toDouble(&isNumber);
        return isNumber ? QJsonValue(value) : QJsonValue(typed);
    };
    if (isList(key.type)) {
        QJsonArray items;
        for (const auto& part : text.split(u',', Qt::SkipEmptyParts))
            items << (key.type == SettingType::IntegerList ? number(part.trimmed())
                                                           : QJsonValue(part.trimmed()));
        return items;
    }
    if (key.type == SettingType::Integer || key.type == SettingType::Number)
        return number(text);
    return text;
}

void insertAt(QJsonObject& object, const QStringList& path, const QJsonValue& value)
{
    if (path.size() == 1) {
        object.insert(path[0], value);
        return;
    }
    auto inner = object[path[0]].toObject();
    insertAt(inner, path.mid(1), value);
    object.insert(path[0], inner);
}

} // namespace

ConfigForm::ConfigForm(const QString& path, QWidget* parent)
    : QWidget(parent)
    , m_path(path)
{
    if (QFileInfo::exists(path)) {
        const auto loaded = loadSettingsFile(path);
        const auto bytes = readSmallFile(path, maxFileBytes);
        if (loaded && bytes) {
            m_settings = loaded->settings;
            m_document = QJsonDocument::fromJson(*bytes).object();
        } else {
            m_fileProblem = failureSentence(loaded ? bytes.error() : loaded.error());
        }
    }
    auto* rows = new QVBoxLayout(this);
    auto* head = new QLabel(m_fileProblem.isEmpty()
            ? tr("Kept in %1; the command line uses it too.").arg(path)
            : m_fileProblem,
        this);
    head->setTextFormat(Qt::PlainText);
    head->setWordWrap(true);
    rows->addWidget(head);
    for (const auto& key : settingKeys()) {
        if (key.type != SettingType::ImageList && !key.path.startsWith(u"serve."_s)
            && !key.path.startsWith(u"auth."_s))
            addKey(rows, key);
    }
    rows->addStretch(1);
    setEnabled(m_fileProblem.isEmpty());
}

void ConfigForm::addKey(QVBoxLayout* rows, const SettingKey& key)
{
    auto* name = new QLabel(key.path, this);
    auto font = name->font();
    font.setBold(true);
    name->setFont(font);
    auto* meaning = new QLabel(key.description, this);
    meaning->setWordWrap(true);
    meaning->setForegroundRole(QPalette::PlaceholderText);
    auto* editor = makeEditor(key, key.read(m_settings));
    editor->setObjectName(u"config."_s + key.path);
    editor->setAccessibleName(key.path);
    editor->setAccessibleDescription(key.description);
    rows->addSpacing(6);
    rows->addWidget(name);
    rows->addWidget(meaning);
    rows->addWidget(editor);
}

QWidget* ConfigForm::makeEditor(const SettingKey& key, const QJsonValue& value)
{
    if (key.type == SettingType::Boolean) {
        auto* box = new QCheckBox(tr("On"), this);
        box->setChecked(value.toBool());
        connect(box, &QCheckBox::toggled, this, [this, key](bool isOn) { change(key, isOn); });
        return box;
    }
    if (key.type == SettingType::Choice) {
        auto* box = new QComboBox(this);
        box->addItems(key.choices);
        box->setCurrentText(value.toString());
        connect(box, &QComboBox::currentTextChanged, this,
            [this, key](const QString& text) { change(key, text); });
        return box;
    }
    auto* line = new CheckedLine(
        key.path, [key](const QString& text) { return checkSetting(key, valueOf(key, text)); },
        this);
    line->setText(textOf(key, value));
    line->setPlaceholderText(allowedText(key));
    connect(line, &QLineEdit::textEdited, this, [this, key, line](const QString& text) {
        if (line->isGood())
            m_problems.remove(key.path);
        else
            m_problems.insert(key.path, line->problem());
        change(key, valueOf(key, text));
    });
    return line;
}

void ConfigForm::change(const SettingKey& key, const QJsonValue& value)
{
    m_changes.insert(key.path, value);
    Q_EMIT edited();
}

QString ConfigForm::problem() const
{
    if (m_problems.isEmpty())
        return m_fileProblem;
    return m_problems.firstKey() + u": "_s + m_problems.first();
}

Result<> ConfigForm::save()
{
    if (const auto sentence = problem(); !sentence.isEmpty())
        return failure(Kind::Invalid, sentence);
    for (const auto& [path, value] : m_changes.asKeyValueRange())
        insertAt(m_document, path.split(u'.'), value);
    QDir().mkpath(QFileInfo(m_path).path());
    QSaveFile file(m_path);
    if (!file.open(QIODevice::WriteOnly)
        || file.write(QJsonDocument(m_document).toJson(QJsonDocument::Indented)) < 0
        || !file.commit())
        return failure(Kind::Denied, m_path + u": "_s + file.errorString());
    m_changes.clear();
    return {};
}

} // namespace isol8::ui
