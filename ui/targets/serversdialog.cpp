// SPDX-License-Identifier: MIT
#include "ui/targets/serversdialog.h"

#include "engine/remote/serveraddress.h"
#include "ui/run/runsentences.h"
#include "ui/targets/keystore.h"
#include "ui/targets/targetstore.h"

#include <QCoroTask>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPointer>
#include <QPushButton>
#include <QSignalBlocker>
#include <QVBoxLayout>

namespace isol8::ui {

using namespace Qt::StringLiterals;

ServersDialog::ServersDialog(
    TargetStore& targets, KeyStore& keys, EngineFactory engines, QWidget* parent)
    : QDialog(parent)
    , m_targets(targets)
    , m_keys(keys)
    , m_engines(std::move(engines))
    , m_list(new QListWidget(this))
{
    setObjectName(u"serversDialog"_s);
    setWindowTitle(tr("Servers"));
    resize(620, 360);
    m_list->setObjectName(u"serverList"_s);
    m_list->setAccessibleName(tr("Servers"));
    m_list->setSpacing(2);
    auto* addButton = new QPushButton(tr("&Add"), this);
    addButton->setObjectName(u"serverAdd"_s);
    m_remove = new QPushButton(tr("&Remove"), this);
    m_remove->setEnabled(false);
    m_remove->setObjectName(u"serverRemove"_s);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(addButton);
    buttons->addWidget(m_remove);
    auto* left = new QVBoxLayout;
    left->addWidget(m_list, 1);
    left->addLayout(buttons);
    m_form = makeForm();
    auto* columns = new QHBoxLayout;
    columns->addLayout(left, 2);
    columns->addWidget(m_form, 3);
    auto* box = new QDialogButtonBox(QDialogButtonBox::Close, this);
    auto* rows = new QVBoxLayout(this);
    rows->addLayout(columns, 1);
    rows->addWidget(box);
    connect(box, &QDialogButtonBox::rejected, this, &QDialog::reject);
    connect(addButton, &QPushButton::clicked, this, &ServersDialog::add);
    connect(m_remove, &QPushButton::clicked, this, &ServersDialog::removeServer);
    connect(m_list, &QListWidget::currentRowChanged, this, &ServersDialog::showServer);
    fill({});
    if (m_list->count() == 0)
        add();
}

QWidget* ServersDialog::makeForm()
{
    auto* form = new QWidget(this);
    m_name = new QLineEdit(form);
    m_name->setObjectName(u"serverName"_s);
    m_address = new QLineEdit(form);
    m_address->setObjectName(u"serverAddress"_s);
    m_address->setPlaceholderText(u"https://host:3000"_s);
    m_key = new QLineEdit(form);
    m_key->setObjectName(u"serverKey"_s);
    m_key->setEchoMode(QLineEdit::Password);
    m_message = new QLabel(form);
    m_message->setObjectName(u"serverMessage"_s);
    m_message->setTextFormat(Qt::PlainText);
    m_message->setWordWrap(true);
    m_test = new QPushButton(tr("&Test"), form);
    m_test->setObjectName(u"serverTest"_s);
    auto* save = new QPushButton(tr("&Save"), form);
    save->setObjectName(u"serverSave"_s);
    save->setDefault(true);
    auto* buttons = new QHBoxLayout;
    buttons->addStretch(1);
    buttons->addWidget(m_test);
    buttons->addWidget(save);
    auto* rows = new QFormLayout(form);
    rows->setFieldGrowthPolicy(QFormLayout::AllNonFixedFieldsGrow);
    rows->addRow(tr("&Name"), m_name);
    rows->addRow(tr("A&ddress"), m_address);
    rows->addRow(tr("&Key"), m_key);
    rows->addRow(buttons);
    rows->addRow(m_message);
    connect(m_test, &QPushButton::clicked, this, &ServersDialog::test);
    connect(save, &QPushButton::clicked, this, &ServersDialog::saveServer);
    return form;
}

QString ServersDialog::currentId() const
{
    const auto* item = m_list->currentItem();
    return item ? item->data(Qt::UserRole).toString() : m_newId;
}

void ServersDialog::fill(const QString& selectedId)
{
    m_list->clear();
    for (const auto& target : m_targets.targets()) {
        if (target.isLocal())
            continue;
        auto* item = new QListWidgetItem(target.name, m_list);
        item->setData(Qt::UserRole, target.id);
        item->setToolTip(target.address);
        if (target.id == selectedId)
            m_list->setCurrentItem(item);
    }
    if (selectedId.isEmpty() && m_list->count() > 0)
        m_list->setCurrentRow(0);
}

void ServersDialog::showServer()
{
    const auto* item = m_list->currentItem();
    m_form->setEnabled(item || !m_newId.isEmpty());
    m_remove->setEnabled(item);
    if (!item)
        return;
    m_newId.clear();
    const auto id = item->data(Qt::UserRole).toString();
    const auto target = m_targets.find(id);
    m_name->setText(target.name);
    m_address->setText(target.address);
    m_key->clear();
    m_message->clear();
    // The store may ask the user first, and this be closed meanwhile.
    m_keys.find(id, [this, id, here = QPointer(this)](const Result<QString>& key) {
        if (here && id == currentId() && key && !m_key->isModified())
            m_key->setText(*key);
    });
}

void ServersDialog::add()
{
    m_list->setCurrentItem(nullptr);
    m_newId = TargetStore::freshId();
    m_form->setEnabled(true);
    m_name->clear();
    m_address->clear();
    m_key->clear();
    m_message->clear();
    m_name->setFocus();
}

void ServersDialog::removeServer()
{
    const auto* item = m_list->currentItem();
    if (!item)
        return;
    const auto id = item->data(Qt::UserRole).toString();
    m_keys.remove(id);
    m_targets.remove(id);
    fill({});
    if (m_list->count() == 0)
        add();
}

void ServersDialog::saveServer()
{
    const auto id = currentId();
    const auto key = m_key->text();
    if (const auto valid = remote::checkApiKey(key); !valid) {
        say(failureSentence(valid.error()), false);
        return;
    }
    if (const auto written = m_targets.keep({ id, m_name->text(), m_address->text() }); !written) {
        say(failureSentence(written.error()), false);
        return;
    }
    m_newId.clear();
    {
        // Asked now, the store would answer the key from before.
        const QSignalBlocker quiet(m_list);
        fill(id);
    }
    const auto kept = m_targets.find(id);
    m_name->setText(kept.name);
    m_address->setText(kept.address);
    m_keys.keep(id, key, [this, here = QPointer(this)](const Result<KeyStore::Place>& place) {
        if (!here)
            return;
        if (!place)
            say(failureSentence(place.error()), false);
        else if (*place == KeyStore::Place::Desktop)
            say(tr("Saved; the key is in the desktop's key store."), true);
        else
            say(tr("Saved. There is no key store on this desktop, so the key is in %1, which only "
                   "you can read.")
                    .arg(m_keys.filePath()),
                true);
    });
}

void ServersDialog::test()
{
    const auto engine
        = m_engines({ currentId(), m_name->text(), m_address->text() }, m_key->text());
    if (!engine) {
        say(failureSentence(engine.error()), false);
        return;
    }
    say(tr("Asking …"), true);
    m_test->setEnabled(false);
    QCoro::connect((*engine)->sessions(), this,
        [this, engine = *engine](const Result<QList<SessionInfo>>& sessions) {
            m_test->setEnabled(true);
            if (!sessions) {
                say(failureSentence(sessions.error()), false);
                return;
            }
            const auto address = remote::parseServerAddress(m_address->text());
            say(address && !address->isPrivate()
                    ? tr("It answers. But the way there is not encrypted: others can read the key "
                         "and the code.")
                    : tr("It answers, and the key is right."),
                true);
        });
}

void ServersDialog::say(const QString& sentence, bool isGood)
{
    m_message->setText((isGood ? QString() : u"✗ "_s) + sentence);
}

} // namespace isol8::ui
