//! What the page of `ampersand inspect` copies as a test.

#[rustfmt::skip]
mod copied {
#[test]
fn receives_installation_updated() -> Result<(), Box<dyn std::error::Error>> {
    let body = r#"{"data":{"config":{"provider":"salesforce","read":{"objects":{"account":{"destination":"crmEvents","objectName":"account","schedule":"*/10 * * * *","selectedFieldMappings":{"phone":"mobilePhone"},"selectedFields":{"email":true,"id":true,"name":true}}}}},"connectionId":"0ad74525-a1ab-4c88-929b-fe89810525f4","consumerName":"Priya Raman","consumerRef":"usr_8841","groupName":"Stark Industries","groupRef":"stark","installationId":"e7f8a75b-2f0f-4867-9007-0dbb5ef5e0ec","integrationId":"97819e9e-8076-49fd-a3dc-f25d48abc443","integrationName":"salesforceSync","lastConfig":{"provider":"salesforce","read":{"objects":{"account":{"destination":"crmEvents","objectName":"account","schedule":"*/30 * * * *","selectedFieldMappings":{},"selectedFields":{"id":true,"name":true}}}}},"projectId":"1c3acc3a-9174-45c8-8d7e-ef20898b4afc","provider":"salesforce"},"notificationType":"installation.updated"}"#;
    let delivery = ampersand_notifications::from_webhook(body)?;
    // Give `delivery` to your handler, and check what it did. It holds a customer's data: change that before you share it.
    ampersand_testing::assert_delivery_snapshot!(delivery, @r#"
    {
      "data": {
        "config": {
          "provider": "salesforce",
          "read": {
            "objects": {
              "account": {
                "destination": "crmEvents",
                "objectName": "account",
                "schedule": "*/10 * * * *",
                "selectedFieldMappings": {
                  "phone": "mobilePhone"
                },
                "selectedFields": {
                  "email": true,
                  "id": true,
                  "name": true
                }
              }
            }
          }
        },
        "connectionId": "[uuid 1]",
        "consumerName": "Priya Raman",
        "consumerRef": "usr_8841",
        "groupName": "Stark Industries",
        "groupRef": "stark",
        "installationId": "[uuid 2]",
        "integrationId": "[uuid 3]",
        "integrationName": "salesforceSync",
        "lastConfig": {
          "provider": "salesforce",
          "read": {
            "objects": {
              "account": {
                "destination": "crmEvents",
                "objectName": "account",
                "schedule": "*/30 * * * *",
                "selectedFieldMappings": {},
                "selectedFields": {
                  "id": true,
                  "name": true
                }
              }
            }
          }
        },
        "projectId": "[uuid 4]",
        "provider": "salesforce"
      },
      "kind": "notification",
      "metadata": {},
      "notificationType": "installation.updated"
    }
    "#);
    Ok(())
}

#[test]
fn receives_connection_error() -> Result<(), Box<dyn std::error::Error>> {
    let body = "{\"data\":{\"connectionId\":\"0ad74525-a1ab-4c88-929b-fe89810525f4\",\"consumerName\":\"Priya Raman\",\"consumerRef\":\"usr_8841\",\"error\":[\"the refresh token was revoked by an administrator\"],\"errors\":[\"the refresh token was revoked by an administrator\"],\"groupRef\":\"\u{202e}\\\"#\\\\r\\n{}\",\"projectId\":\"1c3acc3a-9174-45c8-8d7e-ef20898b4afc\",\"provider\":\"salesforce\"},\"notificationType\":\"connection.error\"}";
    let delivery = ampersand_notifications::from_webhook(body)?;
    // Give `delivery` to your handler, and check what it did. It holds a customer's data: change that before you share it.
    ampersand_testing::assert_delivery_snapshot!(delivery, @"\n    {\n      \"data\": {\n        \"connectionId\": \"[uuid 1]\",\n        \"consumerName\": \"Priya Raman\",\n        \"consumerRef\": \"usr_8841\",\n        \"error\": [\n          \"the refresh token was revoked by an administrator\"\n        ],\n        \"errors\": [\n          \"the refresh token was revoked by an administrator\"\n        ],\n        \"groupRef\": \"\u{202e}\\\"#\\\\r\\n{}\",\n        \"projectId\": \"[uuid 2]\",\n        \"provider\": \"salesforce\"\n      },\n      \"kind\": \"notification\",\n      \"metadata\": {},\n      \"notificationType\": \"connection.error\"\n    }\n    ");
    Ok(())
}

#[test]
fn receives_records() -> Result<(), Box<dyn std::error::Error>> {
    let body = r#"{"data":{"action":"read","consumerName":"Priya Raman","consumerRef":"usr_8841","groupName":"Stark Industries","groupRef":"stark","installationId":"e7f8a75b-2f0f-4867-9007-0dbb5ef5e0ec","installationUpdateTime":"2026-08-02T09:14:55.208714Z","objectName":"account","operationId":"329b9347-8654-47de-b8ae-534532d12bf1","operationTime":"2025-10-25T09:42:53Z","projectId":"1c3acc3a-9174-45c8-8d7e-ef20898b4afc","provider":"salesforce","readType":"scheduled","result":[{"fields":{"id":"1001","name":"Vandelay Industries","revenue":1250000.5},"mappedFields":{"phone":"+1 555 0100"},"raw":{"id":"1001","mobilePhone":"+1 555 0100","name":"Vandelay Industries","revenue":1250000.5}},{"fields":{"id":"1002","name":"Kramerica","revenue":null},"mappedFields":{"phone":null},"raw":{"id":"1002","mobilePhone":null,"name":"Kramerica","revenue":null}}],"resultInfo":{"numRecords":2,"type":"inline"},"workspace":"stark"},"metadata":{"event-id":"944f8503-f741-473f-8963-78d80f2c4439","installationId":"e7f8a75b-2f0f-4867-9007-0dbb5ef5e0ec","objectName":"account","operationId":"329b9347-8654-47de-b8ae-534532d12bf1","projectId":"1c3acc3a-9174-45c8-8d7e-ef20898b4afc","timestamp":"2025-10-25T09:42:53Z","topic":"crm-events"}}"#;
    let delivery = ampersand_notifications::from_kinesis(body)?;
    // Give `delivery` to your handler, and check what it did. It holds a customer's data: change that before you share it.
    ampersand_testing::assert_delivery_snapshot!(delivery, @r#"
    {
      "data": {
        "action": "read",
        "consumerName": "Priya Raman",
        "consumerRef": "usr_8841",
        "groupName": "Stark Industries",
        "groupRef": "stark",
        "installationId": "[uuid 1]",
        "installationUpdateTime": "[time 1]",
        "objectName": "account",
        "operationId": "[uuid 2]",
        "operationTime": "[time 2]",
        "projectId": "[uuid 3]",
        "provider": "salesforce",
        "readType": "scheduled",
        "result": [
          {
            "fields": {
              "id": "1001",
              "name": "Vandelay Industries",
              "revenue": 1250000.5
            },
            "mappedFields": {
              "phone": "+1 555 0100"
            },
            "raw": {
              "id": "1001",
              "mobilePhone": "+1 555 0100",
              "name": "Vandelay Industries",
              "revenue": 1250000.5
            }
          },
          {
            "fields": {
              "id": "1002",
              "name": "Kramerica",
              "revenue": null
            },
            "mappedFields": {
              "phone": null
            },
            "raw": {
              "id": "1002",
              "mobilePhone": null,
              "name": "Kramerica",
              "revenue": null
            }
          }
        ],
        "resultInfo": {
          "numRecords": 2,
          "type": "inline"
        },
        "workspace": "stark"
      },
      "id": "[uuid 4]",
      "kind": "records",
      "metadata": {
        "event-id": "[uuid 4]",
        "installationId": "[uuid 1]",
        "objectName": "account",
        "operationId": "[uuid 2]",
        "projectId": "[uuid 3]",
        "timestamp": "[time 2]",
        "topic": "crm-events"
      },
      "timestamp": "[time 2]"
    }
    "#);
    Ok(())
}

#[test]
fn receives_integration_retired() -> Result<(), Box<dyn std::error::Error>> {
    let body = r#"{"data":{"projectId":"1c3acc3a-9174-45c8-8d7e-ef20898b4afc"},"notificationType":"integration.retired"}"#;
    let delivery = ampersand_notifications::from_webhook(body)?;
    // Give `delivery` to your handler, and check what it did. It holds a customer's data: change that before you share it.
    ampersand_testing::assert_delivery_snapshot!(delivery, @r#"
    {
      "data": {
        "projectId": "[uuid 1]"
      },
      "kind": "notification",
      "metadata": {},
      "notificationType": "integration.retired"
    }
    "#);
    Ok(())
}

#[test]
fn receives_read_backfill_done() -> Result<(), Box<dyn std::error::Error>> {
    let body = r#"{"connectionId":"0ad74525-a1ab-4c88-929b-fe89810525f4","consumerName":"Priya Raman","consumerRef":"usr_8841","groupName":"Stark Industries","groupRef":"stark","installationId":"e7f8a75b-2f0f-4867-9007-0dbb5ef5e0ec","integrationId":"97819e9e-8076-49fd-a3dc-f25d48abc443","integrationName":"salesforceSync","objectName":"account","projectId":"1c3acc3a-9174-45c8-8d7e-ef20898b4afc","provider":"salesforce"}"#;
    let metadata = [
        ("connectionid", "0ad74525-a1ab-4c88-929b-fe89810525f4"),
        ("event-id", "e9bbf5fd-02cf-41ea-937a-0cad30196e03"),
        ("installationid", "e7f8a75b-2f0f-4867-9007-0dbb5ef5e0ec"),
        ("notificationtype", "read.backfill.done"),
        ("objectname", "account"),
        ("projectid", "1c3acc3a-9174-45c8-8d7e-ef20898b4afc"),
        ("timestamp", "2025-10-25T09:42:53Z"),
        ("topic", "crm-events"),
    ];
    let delivery = ampersand_notifications::from_attributes(body, metadata)?;
    // Give `delivery` to your handler, and check what it did. It holds a customer's data: change that before you share it.
    ampersand_testing::assert_delivery_snapshot!(delivery, @r#"
    {
      "data": {
        "connectionId": "[uuid 1]",
        "consumerName": "Priya Raman",
        "consumerRef": "usr_8841",
        "groupName": "Stark Industries",
        "groupRef": "stark",
        "installationId": "[uuid 2]",
        "integrationId": "[uuid 3]",
        "integrationName": "salesforceSync",
        "objectName": "account",
        "projectId": "[uuid 4]",
        "provider": "salesforce"
      },
      "id": "[uuid 5]",
      "kind": "notification",
      "metadata": {
        "connectionid": "[uuid 1]",
        "event-id": "[uuid 5]",
        "installationid": "[uuid 2]",
        "notificationtype": "read.backfill.done",
        "objectname": "account",
        "projectid": "[uuid 4]",
        "timestamp": "[time 1]",
        "topic": "crm-events"
      },
      "notificationType": "read.backfill.done",
      "timestamp": "[time 1]"
    }
    "#);
    Ok(())
}
}
